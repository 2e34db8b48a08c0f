"""Families: what they are, who is next, what is dropped, where a search in them ends."""

from collections import Counter

import optuna
import pytest
from optuna.trial import TrialState

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.study import ParameterConfig, SearchSpaceConfig
from experiments.replay.settings import Settings
from experiments.study.families import families, members, next_family
from experiments.study.search_space import SearchSpace
from tests.experiments.fake_replay import FakeReplay, make_config, run_study, told

PARAMETERS = {
    "optimizer": ParameterConfig("categorical", choices=["adamw", "sgd"]),
    "adamw_rate": ParameterConfig(
        "float", field="adjustment_rate", low=0.2, high=1.0, log=True, when={"optimizer": "adamw"}
    ),
    "sgd_rate": ParameterConfig(
        "float", field="adjustment_rate", low=1e-4, high=0.2, log=True, when={"optimizer": "sgd"}
    ),
    "loss": ParameterConfig(
        "categorical", choices=["cubic", "linear", "logistic"], when={"optimizer": "sgd"}
    ),
    "logit_scale": ParameterConfig("float", low=1, high=9, when={"loss": "logistic"}),
    "reduction": ParameterConfig("categorical", choices=["sum", "mean"]),
}
SPACE = SearchSpace.from_config(
    SearchSpaceConfig(PARAMETERS), Settings(AdjusterConfig(), SelectionConfig())
)
FAMILIES = [
    {"optimizer": "adamw"},
    {"optimizer": "sgd", "loss": "cubic"},
    {"optimizer": "sgd", "loss": "linear"},
    {"optimizer": "sgd", "loss": "logistic"},
]
BEST = FAMILIES[3]


def trial(family, value, *, excess=0.0, state=TrialState.COMPLETE):
    distributions = {name: SPACE.distributions[name] for name in family}
    return optuna.trial.create_trial(
        state=state,
        value=value if state == TrialState.COMPLETE else None,
        params=family,
        distributions=distributions,
        constraints={"drift": excess},
    )


def played(n_trials, value_of, n_first=2):
    """Which family each trial was of."""
    trials, order = [], []
    for _ in range(n_trials):
        family = next_family(SPACE, trials, n_first).family
        order.append(FAMILIES.index(family))
        trials.append(trial(family, value_of(family)))
    return order


def test_families_are_the_combinations_of_what_others_depend_on():
    assert families(SPACE) == FAMILIES


def test_a_space_without_conditions_is_one_family():
    plain = SearchSpace.from_config(
        SearchSpaceConfig({"reduction": PARAMETERS["reduction"]}),
        Settings(AdjusterConfig(), SelectionConfig()),
    )
    assert families(plain) == [{}]
    assert next_family(plain, [], 4) == ({}, True)


def test_a_trial_is_of_the_family_whose_choices_it_made():
    trials = [trial(BEST, 0.1), trial(FAMILIES[0], 0.2)]
    assert members(BEST, trials) == trials[:1]
    assert members({}, trials) == trials


def test_the_better_half_gets_twice_as_many_more_until_one_is_left():
    order = played(30, lambda family: 0.5 + 0.1 * FAMILIES.index(family))
    assert Counter(order[:8]) == {0: 2, 1: 2, 2: 2, 3: 2}
    assert Counter(order[8:16]) == {2: 4, 3: 4}
    assert set(order[16:]) == {3}


def test_a_family_that_breaks_the_guardrails_does_not_stay():
    trials = [trial(family, 0.5) for family in FAMILIES[:3]]
    trials.append(trial(BEST, 0.9, excess=0.1))
    assert next_family(SPACE, trials, 1).family in FAMILIES[:2]


def test_a_verdict_stands_whatever_comes_later():
    trials = [trial(family, 0.1 * number) for number, family in enumerate(FAMILIES)]
    trials += [trial(FAMILIES[0], 1.0)] * 3
    assert next_family(SPACE, trials, 1).family == FAMILIES[3]


def test_trials_under_way_count_and_families_without_a_result_are_the_first_to_go():
    running = [trial(family, None, state=TrialState.RUNNING) for family in FAMILIES[:3]]
    assert next_family(SPACE, running, 1) == (BEST, False)
    trials = [*running, trial(BEST, 0.1)]
    assert next_family(SPACE, [*trials, *[trial(BEST, 0.1)] * 2], 1).family != BEST


def family_config(folder, n_trials=40):
    config = make_config(folder, n_trials=n_trials, enqueue="none")
    config.sampler.name, config.sampler.family_trials = "families", 3
    config.search_space = SearchSpaceConfig(PARAMETERS)
    return config


def test_a_study_in_families_ends_in_the_one_that_holds_the_best(tmp_path):
    """The best rate is .01: only sgd reaches it, whatever the loss."""
    records = run_study(family_config(tmp_path, 50))
    tried = [(record.values["optimizer"], record.values.get("loss")) for record in records]
    assert Counter(tried[:12]).most_common() == [(kind, 3) for kind in dict.fromkeys(tried[:12])]
    assert Counter(tried[-20:]).most_common(1)[0][1] >= 10
    assert Counter(tried[-20:]).most_common(1)[0][0][0] == "sgd"
    assert max(record.value for record in records if record.value) > 0.79


def test_every_family_begins_in_the_middle_of_its_ranges(tmp_path):
    first = run_study(family_config(tmp_path, 4))
    rates = [record.values["adjustment_rate"] for record in first]
    assert rates == pytest.approx([(0.2 * 1.0) ** 0.5, *[(1e-4 * 0.2) ** 0.5] * 3])
    assert first[3].values["logit_scale"] == 5.0
    assert {record.values["reduction"] for record in first} == {"sum"}


def test_a_family_s_first_trials_keep_what_all_families_share_as_it_was_given(tmp_path):
    config = family_config(tmp_path, 40)
    config.search_space.parameters["min_clicks"] = ParameterConfig("int", low=1, high=3)
    clicks = [record.values["min_clicks"] for record in run_study(config)]
    assert set(clicks[:12]) == {SelectionConfig().min_clicks}
    assert len(set(clicks[12:])) > 1


def test_with_one_family_left_trials_change_one_setting_of_the_best(tmp_path):
    """The model never draws one number twice."""
    config = family_config(tmp_path, 50)
    config.search_space.parameters["min_clicks"] = ParameterConfig("int", low=1, high=3)
    rates = [record.values["adjustment_rate"] for record in run_study(config)]
    assert sum(rates[number] in rates[:number] for number in range(30, 50)) >= 3


def test_going_on_changes_nothing(tmp_path):
    run_study(family_config(tmp_path / "a", 9))
    longer = run_study(family_config(tmp_path / "a", 20), FakeReplay())
    at_once = run_study(family_config(tmp_path / "b", 20))
    assert [told(record) for record in longer] == [told(record) for record in at_once]
