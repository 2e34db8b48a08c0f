"""Families: what they are, who is next, what is tried of each, where a search ends."""

from collections import Counter
from itertools import combinations, product

import numpy as np
import optuna
import pytest
from optuna.trial import TrialState

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.study import ParameterConfig, SearchSpaceConfig
from experiments.replay.settings import Settings
from experiments.study.families import families, first_params, members, short_families
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


def test_families_are_the_combinations_of_what_others_depend_on():
    assert families(SPACE) == FAMILIES


def test_a_space_without_conditions_is_one_family():
    plain = SearchSpace.from_config(
        SearchSpaceConfig({"reduction": PARAMETERS["reduction"]}),
        Settings(AdjusterConfig(), SelectionConfig()),
    )
    assert families(plain) == [{}]
    assert short_families(plain, [], 4) == [{}]


def test_a_trial_is_of_the_family_whose_choices_it_made():
    trials = [trial(BEST, 0.1), trial(FAMILIES[0], 0.2)]
    assert members(BEST, trials) == trials[:1]
    assert members({}, trials) == trials


def test_families_take_turns_until_each_has_had_its_first_trials():
    trials, order = [], []
    while short := short_families(SPACE, trials, 3):
        order.append(FAMILIES.index(short[0]))
        trials.append(trial(short[0], 0.5))
    assert order == [0, 1, 2, 3] * 3


def test_trials_of_any_origin_and_those_under_way_count_as_a_family_s_first():
    trials = [trial(BEST, 0.1)] * 3
    trials += [trial(family, None, state=TrialState.RUNNING) for family in FAMILIES[:2]]
    assert short_families(SPACE, trials, 2) == [FAMILIES[2], *FAMILIES[:2]]


def crossed(n_choices, n_rows):
    """Levels of two-way choices, 0 or 1, in the first trials of the only family."""
    fields = ["memory", "term_weight", "reduction"][:n_choices]
    values = {
        "memory": ["carry", "refit"],
        "term_weight": ["session", "impression"],
        "reduction": ["sum", "mean"],
    }
    space = SearchSpace.from_config(
        SearchSpaceConfig(
            {
                "needed": ParameterConfig("categorical", field="optimizer", choices=["sgd"]),
                **{
                    name: ParameterConfig(
                        "categorical", choices=values[name], when={"needed": "sgd"}
                    )
                    for name in fields
                },
                "num_iterations": ParameterConfig("int", low=1, high=9, when={"needed": "sgd"}),
            }
        ),
        Settings(AdjusterConfig(), SelectionConfig()),
    )
    rows = [
        first_params(space, {"needed": "sgd"}, row, np.random.default_rng(row))
        for row in range(n_rows)
    ]
    levels = [[values[name].index(row[name]) for name in fields] for row in rows]
    return levels, [row["num_iterations"] for row in rows]


def test_four_trials_show_every_pair_of_any_two_of_three_two_way_choices():
    levels, numbers = crossed(3, 4)
    assert levels == [[0, 0, 0], [1, 0, 1], [0, 1, 1], [1, 1, 0]]
    assert numbers == [5] * 4
    for one, other in combinations(range(3), 2):
        assert {(row[one], row[other]) for row in levels} == set(product((0, 1), repeat=2))


@pytest.mark.parametrize(("n_choices", "n_rows"), [(1, 2), (2, 4), (3, 4)])
def test_once_all_rows_are_tried_all_of_the_family_is_drawn(n_choices, n_rows):
    levels, numbers = crossed(n_choices, n_rows + 12)
    assert len({tuple(row) for row in levels[:n_rows]}) == n_rows
    assert numbers[:n_rows] == [5] * n_rows
    assert len(set(numbers[n_rows:])) > 4


def forest_config(folder, n_trials=40):
    config = make_config(folder, n_trials=n_trials, enqueue="none")
    config.sampler.name, config.sampler.family_trials = "forest", 3
    config.search_space = SearchSpaceConfig(PARAMETERS)
    return config


def test_a_study_ends_in_the_families_that_hold_the_best(tmp_path):
    """The best rate is .01: only sgd reaches it, whatever the loss."""
    records = run_study(forest_config(tmp_path, 30))
    tried = [(record.values["optimizer"], record.values.get("loss")) for record in records]
    assert Counter(tried[:12]).most_common() == [(kind, 3) for kind in dict.fromkeys(tried[:12])]
    assert Counter(optimizer for optimizer, _ in tried[-15:])["sgd"] >= 11
    assert max(record.value for record in records if record.value) > 0.79


def test_every_family_begins_in_the_middle_of_its_ranges(tmp_path):
    first = run_study(forest_config(tmp_path, 4))
    rates = [record.values["adjustment_rate"] for record in first]
    assert rates == pytest.approx([(0.2 * 1.0) ** 0.5, *[(1e-4 * 0.2) ** 0.5] * 3])
    assert first[3].values["logit_scale"] == 5.0
    assert {record.values["reduction"] for record in first} == {"sum"}


def test_a_family_s_first_trials_keep_what_all_families_share_as_it_was_given(tmp_path):
    config = forest_config(tmp_path, 20)
    config.search_space.parameters["min_clicks"] = ParameterConfig("int", low=1, high=3)
    clicks = [record.values["min_clicks"] for record in run_study(config)]
    assert set(clicks[:12]) == {SelectionConfig().min_clicks}
    assert len(set(clicks[12:])) > 1


def newton_space(**more):
    """Newton's family, which needs refit and a prior, beside plain gradient steps."""
    newton = {"when": {"optimizer": "newton"}}
    return SearchSpaceConfig(
        {
            "optimizer": ParameterConfig("categorical", choices=["newton", "sgd"]),
            "loss": ParameterConfig("categorical", choices=["logistic"], **newton),
            "newton_weight": ParameterConfig(
                "categorical", field="term_weight", choices=["impression"], **newton
            ),
            "newton_prior": ParameterConfig(
                "categorical", field="anchor_weight", choices=[1.0], **newton
            ),
            "sgd_rate": PARAMETERS["sgd_rate"],
            **{name: ParameterConfig(**parameter, **newton) for name, parameter in more.items()},
        }
    )


def test_where_a_row_cannot_be_tried_its_family_is_drawn(tmp_path):
    """The first row carries vectors, which Newton's optimizer refuses."""
    config = forest_config(tmp_path, 6)
    config.search_space = newton_space(
        newton_memory={"type": "categorical", "field": "memory", "choices": ["carry", "refit"]},
        logit_scale={"type": "float", "low": 1.0, "high": 9.0},
    )
    records = run_study(config)
    newton = [record.values for record in records if record.values["optimizer"] == "newton"]
    assert len(newton) == 3
    assert {values["memory"] for values in newton} == {"refit"}
    assert newton[0]["logit_scale"] != 5.0


def test_a_family_of_which_nothing_else_can_be_tried_holds_up_no_other(tmp_path):
    config = forest_config(tmp_path, 24)
    config.search_space = newton_space(
        newton_memory={"type": "categorical", "field": "memory", "choices": ["refit"]}
    )
    records = run_study(config)
    assert [record.values["optimizer"] for record in records] == ["newton"] + ["sgd"] * 23
    assert len({record.values["adjustment_rate"] for record in records}) > 22
    values = [record.value for record in records[1:] if record.state == "complete"]
    assert max(values) > max(values[:3])


def test_going_on_changes_nothing(tmp_path):
    run_study(forest_config(tmp_path / "a", 9))
    longer = run_study(forest_config(tmp_path / "a", 20), FakeReplay())
    at_once = run_study(forest_config(tmp_path / "b", 20))
    assert [told(record) for record in longer] == [told(record) for record in at_once]
