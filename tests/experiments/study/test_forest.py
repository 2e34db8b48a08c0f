"""The forest: it finds what was planted, keeps guardrails, and never tries anything twice."""

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.study import ParameterConfig, SearchSpaceConfig
from experiments.replay.settings import Settings
from experiments.study.forest import forest_params
from experiments.study.search_space import SearchSpace

SPACE = SearchSpace.from_config(
    SearchSpaceConfig(
        {
            "optimizer": ParameterConfig("categorical", choices=["adamw", "sgd"]),
            **{
                f"{optimizer}_rate": ParameterConfig(
                    "float",
                    field="adjustment_rate",
                    low=1e-4,
                    high=1.0,
                    log=True,
                    when={"optimizer": optimizer},
                )
                for optimizer in ("sgd", "adamw")
            },
            "memory": ParameterConfig("categorical", choices=["carry", "restart", "refit"]),
            "term_weight": ParameterConfig("categorical", choices=["session", "impression"]),
            "num_iterations": ParameterConfig("int", low=1, high=50),
        }
    ),
    Settings(AdjusterConfig(), SelectionConfig()),
)
SMALL = SearchSpace.from_config(
    SearchSpaceConfig(
        {
            "memory": ParameterConfig("categorical", choices=["carry", "restart", "refit"]),
            "num_iterations": ParameterConfig("int", low=1, high=4),
        }
    ),
    Settings(AdjusterConfig(), SelectionConfig()),
)


def planted(params):
    """Refit pays with impressions only, most near a rate of .01 by sgd and with few iterations."""
    rate = np.log10(params.get("sgd_rate", 1.0)) + 2
    pair = params["memory"] == "refit" and params["term_weight"] == "impression"
    return 0.2 * pair - 0.05 * rate**2 - 0.002 * params["num_iterations"]


def ended(params, value, *, space=SPACE, excess=0.0, state=TrialState.COMPLETE):
    return optuna.trial.create_trial(
        state=state,
        value=value if state == TrialState.COMPLETE else None,
        params=params,
        distributions={name: space.distributions[name] for name in params},
        constraints={"drift": excess},
    )


def drawn(n, seed=0):
    rng = np.random.default_rng(seed)
    return [SPACE.draw(rng, {}) for _ in range(n)]


def searched(n, seed, excess=lambda params: 0.0):
    trials = [ended(params, planted(params), excess=excess(params)) for params in drawn(10, seed)]
    for number in range(n):
        params = forest_params(SPACE, trials, np.random.default_rng([seed, number]))
        trials.append(ended(params, planted(params), excess=excess(params)))
    return trials


@pytest.mark.parametrize("seed", range(2))
def test_it_finds_a_pair_of_choices_and_the_rate_that_goes_with_them(seed):
    found = max(trial.value for trial in searched(40, seed))
    by_chance = max(planted(params) for params in drawn(50, seed))
    assert found > 0.19 > by_chance


def test_it_stays_where_the_guardrails_are_kept():
    """Rates of .03 and less drift too little to break them; the best rate is allowed."""
    trials = searched(40, 0, lambda params: params.get("sgd_rate", 0.0) - 0.03)
    assert max(trial.value for trial in trials if trial.constraints["drift"] <= 0) > 0.18
    late = trials[-20:]
    assert sum(trial.constraints["drift"] <= 0 for trial in late) > 15


def test_where_nothing_keeps_the_guardrails_it_looks_elsewhere():
    """Refit alone was tried at first, and breaks them."""
    some = [params for params in drawn(200) if params["memory"] == "refit"][:20]
    others = [params for params in drawn(200) if params["memory"] != "refit"][:20]
    broken = [ended(params, planted(params), excess=0.1) for params in some]
    kept = [ended(params, 0.0, excess=0.0) for params in others]
    assert forest_params(SPACE, broken, np.random.default_rng(0)) not in some
    assert forest_params(SPACE, broken + kept, np.random.default_rng(0))["memory"] != "refit"


def test_nothing_is_tried_twice_while_there_is_something_else():
    trials = []
    for number in range(12):
        params = forest_params(SMALL, trials, np.random.default_rng(number))
        assert params not in [trial.params for trial in trials]
        trials.append(ended(params, 0.1 * params["num_iterations"], space=SMALL))
    assert forest_params(SMALL, trials, np.random.default_rng(0)).keys() == SMALL.middle({}).keys()


def test_trials_under_way_are_kept_away_from():
    """What is proposed of few iterations runs already, and counts as no better than the worst."""
    trials = [ended(params, planted(params)) for params in drawn(40)]

    def proposed(history):
        return [forest_params(SPACE, history, np.random.default_rng(seed)) for seed in range(8)]

    first = proposed(trials)
    second = proposed([*trials, *(ended(one, None, state=TrialState.RUNNING) for one in first)])
    assert np.median([params["num_iterations"] for params in first]) < 4
    assert np.median([params["num_iterations"] for params in second]) > 10


def test_trials_that_failed_say_nothing():
    trials = [ended(params, planted(params)) for params in drawn(20)]
    failed = [ended(params, None, state=TrialState.FAIL) for params in drawn(20, seed=1)]
    expected = forest_params(SPACE, trials, np.random.default_rng(3))
    assert forest_params(SPACE, [*failed, *trials], np.random.default_rng(3)) == expected
    assert forest_params(SPACE, failed, np.random.default_rng(3)).keys() >= {"memory"}


def test_the_same_history_and_seed_propose_the_same():
    trials = [ended(params, planted(params)) for params in drawn(20)]
    first, second, *others = (
        forest_params(SPACE, trials, np.random.default_rng(seed)) for seed in (5, 5, 6, 7, 8)
    )
    assert first == second
    assert any(other != first for other in others)


def test_the_best_may_have_values_outside_the_space():
    """It was enqueued: neither its rate nor its number of steps is one of the space's."""
    outside = {"optimizer": "sgd", "memory": "refit", "term_weight": "impression"}
    trials = [ended(params, planted(params)) for params in drawn(20)] + [ended(outside, 0.5)]
    for seed in range(5):
        params = forest_params(SPACE, trials, np.random.default_rng(seed))
        assert params.keys() == SPACE.middle(params).keys()


def test_equal_values_are_no_fault():
    trials = [ended(params, 0.5) for params in drawn(5)]
    assert forest_params(SPACE, trials, np.random.default_rng(0)) not in drawn(5)
