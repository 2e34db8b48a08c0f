"""What a study tries next."""

from dataclasses import replace

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from experiments.study.enqueued import Enqueued, enqueued_settings
from experiments.study.next_trial import Queue
from experiments.study.search_space import SearchSpace
from experiments.workflow.studies import base_settings, search_rules
from tests.experiments.fake_replay import make_config


def make_queue(tmp_path, starts=(), **study) -> Queue:
    config = make_config(tmp_path, **study)
    base = base_settings(config)
    space = SearchSpace.from_config(config.search_space, base)
    return Queue(config.study, search_rules(config), base, space, starts)


def stored(found, state=TrialState.COMPLETE, value=0.5, *, lost=False):
    """A trial as the storage holds it once its outcome is known."""
    kept = {
        "ordinal": found.ordinal,
        "origin": found.origin,
        "values": {},
        "settings": found.settings.to_dict(),
        "session": "p",
    }
    if not lost:
        kept["outcome"] = {"state": "complete", "value": value, "blocks": {}, "running": {}}
    return create_trial(
        state=TrialState.FAIL if lost else state,
        values=None if lost else [value],
        params=found.proposal.params,
        distributions=found.proposal.distributions,
        user_attrs=kept,
    )


def numbered(trials):
    """The trials as a study would number them."""
    study = optuna.create_study()
    study.add_trials(trials)
    return study.get_trials()


def test_enqueued_settings_come_first_in_their_order(tmp_path):
    queue = make_queue(tmp_path)
    first = queue.next([])
    second = queue.next(numbered([stored(first)]))
    assert (first.ordinal, first.origin) == (0, "published_defaults")
    assert (second.ordinal, second.origin) == (1, "product_search")


def started(tmp_path, *rates):
    """What earlier studies found, one for each rate."""
    base = base_settings(make_config(tmp_path))
    return [
        Enqueued(f"best of {number}", base.with_values({"adjustment_rate": rate}))
        for number, rate in enumerate(rates)
    ]


def tried(queue, n_trials):
    trials = []
    for _ in range(n_trials):
        found = queue.next(numbered([stored(one) for one in trials]))
        trials.append(found)
    return trials


def test_what_earlier_studies_found_is_tried_before_what_is_enqueued(tmp_path):
    found = tried(make_queue(tmp_path, started(tmp_path, 0.02, 0.9)), 4)
    assert [(item.ordinal, item.origin) for item in found] == [
        (0, "best of 0"),
        (1, "best of 1"),
        (2, "published_defaults"),
        (3, "product_search"),
    ]
    assert found[1].settings.adjuster.adjustment_rate == 0.9
    assert "adjustment_rate" not in found[1].proposal.params, "it lies outside the space"


def test_with_nothing_enqueued_only_what_earlier_studies_found_is_tried_first(tmp_path):
    queue = make_queue(tmp_path, started(tmp_path, 0.02), enqueue="none")
    assert [item.origin for item in tried(queue, 2)] == ["best of 0", "sampler"]


def test_equal_settings_are_tried_once_and_enqueued_ones_keep_name_and_place(tmp_path):
    base = base_settings(make_config(tmp_path))
    profile = enqueued_settings("profiles", base)[1]
    starts = [*started(tmp_path, 0.02, 0.02), Enqueued("best of 2", profile.settings)]
    found = tried(make_queue(tmp_path, starts), 4)
    origins = ["best of 0", "published_defaults", "product_search", "document_search"]
    assert [item.origin for item in found] == origins


def test_the_sampler_follows_and_never_repeats_a_setting(tmp_path):
    queue, trials, keys = make_queue(tmp_path, enqueue="none"), [], set()
    for ordinal in range(6):
        found = queue.next(numbered(trials))
        assert (found.ordinal, found.origin) == (ordinal, "sampler")
        keys.add(found.settings.key)
        trials.append(stored(found, value=0.1 * ordinal))
    assert len(keys) == 6


def test_a_trial_lost_to_a_kill_is_next_with_the_settings_it_had(tmp_path):
    queue = make_queue(tmp_path, enqueue="none")
    one = queue.next([])
    two = queue.next(numbered([stored(one)]))
    again = queue.next(numbered([stored(one, lost=True), stored(two)]))
    assert again.ordinal == one.ordinal
    assert again.settings == one.settings
    assert again.proposal.params == one.proposal.params


def test_a_lost_trial_that_was_run_again_is_not_owed(tmp_path):
    queue = make_queue(tmp_path, enqueue="none")
    one = queue.next([])
    found = queue.next(numbered([stored(one, lost=True), stored(one)]))
    assert found.ordinal == 1


def test_what_is_proposed_does_not_depend_on_an_interruption(tmp_path):
    queue = make_queue(tmp_path, enqueue="none")
    one = queue.next([])
    plain = queue.next(numbered([stored(one)]))
    killed = queue.next(numbered([stored(one, lost=True), stored(one)]))
    assert killed.settings == plain.settings


def test_the_study_ends_at_its_number_of_trials(tmp_path):
    queue = make_queue(tmp_path, enqueue="none", n_trials=1)
    assert queue.next(numbered([stored(queue.next([]))])) is None
    assert not queue.is_exhausted


def test_a_space_without_untried_settings_is_exhausted(tmp_path):
    config = make_config(tmp_path, enqueue="none")
    config.search_space.parameters = {
        "num_iterations": replace(
            config.search_space.parameters["num_iterations"], type="int", low=3, high=3
        )
    }
    base = base_settings(config)
    space = SearchSpace.from_config(config.search_space, base)
    queue = Queue(config.study, search_rules(config), base, space)
    only = queue.next([])
    assert only.settings.adjuster.num_iterations == 3
    assert queue.next(numbered([stored(only)])) is None
    assert queue.is_exhausted


@pytest.mark.parametrize("sampler", ["grid", "qmc"])
def test_a_design_gives_other_points_in_turn(tmp_path, sampler):
    config = make_config(tmp_path, enqueue="none")
    config.sampler.name = sampler
    base = base_settings(config)
    space = SearchSpace.from_config(config.search_space, base)
    queue = Queue(config.study, search_rules(config), base, space)
    one = queue.next([])
    two = queue.next(numbered([stored(one)]))
    assert one.settings != two.settings
