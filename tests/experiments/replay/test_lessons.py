"""What each (owner, object) pair is shown and learns, by hand."""

import numpy as np
import pytest

from adjuster.selection import SelectionConfig
from experiments.config.commands import ReplayConfig
from experiments.replay.lessons import build_lessons, build_pairs
from experiments.replay.schedule import build_schedule
from experiments.replay.timeline import build_timeline
from tests.experiments.random_log import make_log
from tests.experiments.replay.tiny_log import Search, tiny_log

QUIET = ReplayConfig(quiet_seconds=60)


def laid_out(log, *, interval=100, term_weight="session", owner_block=None):
    timeline = build_timeline(log, QUIET, window="all")
    blocks = np.zeros(timeline.n_owners, np.int64) if owner_block is None else owner_block
    pairs = build_pairs(timeline, owner_block=blocks)
    schedule = build_schedule(timeline, SelectionConfig(), interval_seconds=interval, batch_size=10)
    return pairs, build_lessons(timeline, pairs, schedule, term_weight=term_weight)


def shown_to(pairs):
    """(owner, object) of each pair."""
    return list(zip(pairs.owner.tolist(), pairs.showings.pair_object.tolist(), strict=True))


def test_pairs_are_what_an_owner_was_shown_in_order_of_time():
    log = tiny_log(
        Search(0, 1, 0, [2, 0]),
        Search(1, 0, 1, [2]),
        Search(2, 1, 2, [0]),
        Search(3, -1, 0, [1]),
    )
    pairs, _ = laid_out(log)
    assert shown_to(pairs) == [(0, 2), (1, 0), (1, 2)]
    assert pairs.showings.offsets.tolist() == [0, 1, 3, 4]
    assert pairs.showings.query.tolist() == [1, 0, 2, 0]
    assert pairs.pair.tolist() == [0, 1, 1, 2]


def test_pairs_stand_by_block_and_are_found_again_in_order_of_owner():
    log = tiny_log(Search(0, 0, 0, [1, 0]), Search(1, 1, 0, [0]), Search(2, 2, 0, [3, 2]))
    pairs, _ = laid_out(log, owner_block=np.array([1, 0, 1]))
    assert shown_to(pairs) == [(1, 0), (0, 0), (0, 1), (2, 2), (2, 3)]
    assert pairs.block_offsets.tolist() == [0, 1, 5]
    in_order = np.array(shown_to(pairs))[pairs.by_owner].tolist()
    assert in_order == [[0, 0], [0, 1], [1, 0], [2, 2], [2, 3]]


def test_a_session_weighs_one_over_its_clicked_and_its_unclicked_results():
    log = tiny_log(Search(0, 0, 0, [0, 1, 2], [(0, 10), (1, 20)]))
    _, lessons = laid_out(log)
    assert lessons.clicked.tolist() == [0.5, 0.5, 0.0]
    assert lessons.unclicked.tolist() == [0.0, 0.0, 1.0]
    _, lessons = laid_out(log, term_weight="impression")
    assert lessons.clicked.tolist() == [1.0, 1.0, 0.0]
    assert lessons.unclicked.tolist() == [0.0, 0.0, 1.0]


def test_sessions_of_one_query_in_one_step_are_one_term():
    log = tiny_log(
        Search(0, 0, 1, [0], [(0, 10)]),
        Search(1, 0, 1, [0, 1], [(1, 12)]),
        Search(2, 0, 2, [0], [(0, 14)]),
        Search(300, 0, 1, [0], [(0, 310)]),
    )
    pairs, lessons = laid_out(log)
    assert shown_to(pairs)[0] == (0, 0)
    # Object 0 learns of queries 1 and 2 at the first tick, of query 1 again at a later one.
    assert lessons.step_offsets.tolist() == [0, 2, 3]
    assert lessons.term_offsets.tolist() == [0, 2, 3, 4]
    assert lessons.term_query.tolist() == [1, 2, 1, 1]
    assert lessons.clicked.tolist() == [1.0, 1.0, 1.0, 1.0]
    assert lessons.unclicked.tolist() == [1.0, 0.0, 0.0, 0.0]
    assert lessons.slot_query.tolist() == [1, 2, 1]
    assert lessons.term_slot.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize(("searched_at", "steps"), [(99, 0), (100, 0), (101, 1)])
def test_a_search_at_the_ticks_very_second_reads_the_vectors_from_before_it(searched_at, steps):
    log = tiny_log(Search(0, 0, 0, [0], [(0, 40)]), Search(searched_at, 0, 0, [0]))
    _, lessons = laid_out(log)
    assert lessons.step_offsets.tolist() == [0, 1]
    assert lessons.steps_before.tolist() == [0, steps]


def test_how_owners_are_grouped_changes_no_pairs_lesson():
    log = make_log(5, n_sessions=120, n_users=6)

    def by_pair(owner_block):
        pairs, lessons = laid_out(log, interval=3600, owner_block=owner_block)
        learnt = {}
        for number, key in enumerate(shown_to(pairs)):
            steps = range(*lessons.step_offsets[number : number + 2])
            terms = [
                (step - steps.start, int(lessons.term_query[term]), lessons.clicked[term])
                for step in steps
                for term in range(*lessons.term_offsets[step : step + 2])
            ]
            showings = slice(*pairs.showings.offsets[number : number + 2])
            learnt[key] = (terms, lessons.steps_before[showings].tolist())
        return learnt

    together, apart = by_pair(np.zeros(6, np.int64)), by_pair(np.array([2, 0, 1, 0, 2, 1]))
    assert together == apart
    assert any(terms for terms, _ in together.values())
