"""Which parameters decided whether a trial was among the best."""

import warnings

import optuna

MIN_TRIALS = 20
"""With fewer complete trials the best tenth is one or two, and says nothing."""


def importances(study: optuna.Study) -> dict[str, float]:
    """Share of each parameter in reaching the best tenth of the trials, conditional ones included.

    Conditional PED-ANOVA (Watanabe, Bansal and Hutter, *PED-ANOVA: Efficiently Quantifying
    Hyperparameter Importance in Arbitrary Subspaces*, IJCAI 2023), as Optuna computes it.

    Args:
        study: A study with its complete trials.

    Returns:
        Parameter → share, adding up to 1, largest first; empty below `MIN_TRIALS` complete
        trials.
    """
    complete = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    if len(complete) < MIN_TRIALS:
        return {}
    with warnings.catch_warnings():
        # A branch that nearly no good trial took says nothing of its parameters: their share is
        # small, which is the answer, and no matter for whoever waits for the table.
        warnings.filterwarnings("ignore", message="Some regimes for parameter")
        return dict(optuna.importance.get_param_importances(study))
