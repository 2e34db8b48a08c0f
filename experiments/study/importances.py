"""Which parameters decided whether a trial was among the best."""

import warnings
from collections.abc import Sequence

import optuna
from optuna.trial import FrozenTrial, TrialState

MIN_TRIALS = 20
"""With fewer complete trials the best tenth is one or two, and says nothing."""


def importances(trials: Sequence[FrozenTrial]) -> dict[str, float]:
    """Share of each parameter in reaching the best tenth of the trials, conditional ones included.

    Conditional PED-ANOVA (Watanabe, Bansal and Hutter, *PED-ANOVA: Efficiently Quantifying
    Hyperparameter Importance in Arbitrary Subspaces*, IJCAI 2023), as Optuna computes it.

    Args:
        trials: Of one study, as they ended.

    Returns:
        Parameter → share, adding up to 1, largest first; empty below `MIN_TRIALS` complete
        trials.
    """
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    if len(complete) < MIN_TRIALS:
        return {}
    study = optuna.create_study(direction="maximize")
    study.add_trials(complete)
    with warnings.catch_warnings():
        # A branch that nearly no good trial took says nothing of its parameters: their share is
        # small, which is the answer, and no matter for whoever waits for the table.
        warnings.filterwarnings("ignore", message="Some regimes for parameter")
        return dict(optuna.importance.get_param_importances(study))
