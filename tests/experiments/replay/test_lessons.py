"""What a pair is shown and learns, counted on paper."""

import numpy as np
import pytest

from adjuster.fused_engine.streams import Lessons
from adjuster.selection import SelectionConfig
from experiments.config.replay import ReplayConfig, SplitConfig
from experiments.replay.lessons import Pairs, build_lessons, build_pairs
from experiments.replay.schedule import build_schedule
from experiments.replay.timeline import Timeline, build_timeline
from tests.experiments.hand_log import Session, write_log
from tests.experiments.random_log import make_log

QUIET = 60


def timeline_of(*sessions: Session, scope: str = "user_id") -> Timeline:
    config = ReplayConfig(personalize_by=scope, quiet_seconds=QUIET, split=SplitConfig(0.0, 1.0))
    return build_timeline(write_log(*sessions), config, window="all")


def pairs_of(timeline: Timeline, *blocks: int) -> Pairs:
    return build_pairs(timeline, owner_block=np.array(blocks or (0,) * timeline.n_owners))


def lessons_of(
    *sessions: Session, interval: int = 100, term_weight: str = "impression", batch_size: int = 9
) -> tuple[Pairs, Lessons]:
    timeline = timeline_of(*sessions, scope="none")
    schedule = build_schedule(
        timeline, SelectionConfig(), interval_seconds=interval, batch_size=batch_size
    )
    pairs = pairs_of(timeline)
    return pairs, build_lessons(timeline, pairs.showings, schedule, term_weight=term_weight)


def showings(pairs: Pairs, pair: int) -> list[int]:
    """The impressions in which a pair is shown."""
    first, last = pairs.showings.offsets[pair : pair + 2]
    return pairs.showings.impression[first:last].tolist()


def terms(lessons: Lessons, pair: int) -> list[list[tuple[int, float, float]]]:
    """Step by step the (query, clicked, unclicked) that a pair learns."""
    steps = range(lessons.step_offsets[pair], lessons.step_offsets[pair + 1])
    return [
        [
            (int(lessons.term_query[i]), float(lessons.clicked[i]), float(lessons.unclicked[i]))
            for i in range(lessons.term_offsets[step], lessons.term_offsets[step + 1])
        ]
        for step in steps
    ]


def steps_before(pairs: Pairs, lessons: Lessons, pair: int) -> list[int]:
    first, last = pairs.showings.offsets[pair : pair + 2]
    return lessons.steps_before[first:last].tolist()


def test_a_pair_is_one_owners_object_and_has_its_showings_in_order_of_time():
    timeline = timeline_of(
        Session(10, (3, 1), user=1),
        Session(20, (1, 2), user=0, query=4),
        Session(30, (1,), user=1, query=2),
        Session(40, (1,), user=-1),
    )
    pairs = pairs_of(timeline)
    assert pairs.owner.tolist() == [0, 0, 1, 1]
    assert pairs.showings.pair_object.tolist() == [1, 2, 1, 3]
    assert [showings(pairs, pair) for pair in range(4)] == [[2], [3], [1, 4], [0]]
    assert pairs.showings.query.tolist() == [4, 4, 0, 2, 0]
    assert pairs.pair.tolist() == [0, 1, 2, 2, 3]
    assert pairs.block_offsets.tolist() == [0, 4]


def test_pairs_stand_together_by_block_of_owners_and_can_be_read_by_owner():
    timeline = timeline_of(
        Session(10, (5, 4), user=0), Session(20, (5,), user=1), Session(30, (0, 5), user=2)
    )
    pairs = pairs_of(timeline, 1, 0, 1)
    assert pairs.owner.tolist() == [1, 0, 0, 2, 2]
    assert pairs.showings.pair_object.tolist() == [5, 4, 5, 0, 5]
    assert pairs.block_offsets.tolist() == [0, 1, 5]


def test_a_block_whose_owners_are_shown_nothing_has_no_pairs():
    timeline = timeline_of(Session(10, (), user=0), Session(20, (5,), user=1), Session(30, ()))
    assert pairs_of(timeline, 0, 1).block_offsets.tolist() == [0, 0, 1]
    assert pairs_of(timeline, 1, 0).block_offsets.tolist() == [0, 1, 1]


def test_clicked_and_unclicked_are_weighed_apart():
    session = Session(10, (0, 1, 2), ((0, 20), (1, 21)))
    _, lessons = lessons_of(session)
    assert [terms(lessons, pair) for pair in range(3)] == [
        [[(0, 1, 0)]],
        [[(0, 1, 0)]],
        [[(0, 0, 1)]],
    ]
    _, lessons = lessons_of(Session(10, (0, 1, 2, 3, 4), ((0, 20), (1, 21))), term_weight="session")
    weights = [terms(lessons, pair)[0][0][1:] for pair in range(5)]
    assert weights == [(1 / 2, 0), (1 / 2, 0), (0, 1 / 3), (0, 1 / 3), (0, 1 / 3)]


def test_a_single_unclicked_result_has_all_of_the_unclicked_weight():
    _, lessons = lessons_of(Session(10, (0, 1), ((0, 20),)), term_weight="session")
    assert [terms(lessons, pair) for pair in range(2)] == [[[(0, 1, 0)]], [[(0, 0, 1)]]]


def test_the_last_pairs_may_learn_nothing():
    _, lessons = lessons_of(Session(10, (0,), ((0, 20),)), Session(900, (3, 4)))
    assert lessons.step_offsets.tolist() == lessons.slot_offsets.tolist() == [0, 1, 1, 1]


def test_a_session_where_all_is_clicked_has_no_unclicked_weight():
    _, lessons = lessons_of(Session(10, (0,), ((0, 20),)), term_weight="session")
    assert terms(lessons, 0) == [[(0, 1, 0)]]


def test_sessions_of_one_query_in_one_call_are_one_term():
    sessions = [
        Session(10, (0, 1), ((0, 20),), query=3),
        Session(11, (0, 1), ((1, 21),), query=1),
        Session(12, (0, 1), ((0, 22),), query=3),
    ]
    _, lessons = lessons_of(*sessions)
    assert terms(lessons, 0) == [[(1, 0, 1), (3, 2, 0)]]
    assert terms(lessons, 1) == [[(1, 1, 0), (3, 0, 2)]]


def test_sessions_of_two_calls_are_two_steps():
    sessions = [
        Session(10, (0, 1), ((0, 20),), query=3),
        Session(110, (0,), ((0, 120),), query=3),
    ]
    pairs, lessons = lessons_of(*sessions, Session(900, (0, 1)))
    assert terms(lessons, 0) == [[(3, 1, 0)], [(3, 1, 0)]]
    assert terms(lessons, 1) == [[(3, 0, 1)]]
    assert steps_before(pairs, lessons, 0) == [0, 1, 2]
    assert steps_before(pairs, lessons, 1) == [0, 1]


def test_batches_of_one_tick_are_steps_of_their_own():
    sessions = [Session(10 + i, (0,), ((0, 20),), query=i) for i in range(3)]
    _, lessons = lessons_of(*sessions, batch_size=2)
    assert terms(lessons, 0) == [[(0, 1, 0), (1, 1, 0)], [(2, 1, 0)]]


def test_a_search_at_the_very_second_of_a_tick_still_reads_what_was_before_it():
    taken = Session(10, (0,), ((0, 20),))  # marked at 80, taken at 100
    pairs, lessons = lessons_of(taken, Session(99, (0,)), Session(100, (0,)), Session(101, (0,)))
    assert steps_before(pairs, lessons, 0) == [0, 0, 0, 1]


def test_a_pair_counts_its_own_steps_only():
    sessions = [
        Session(10, (0,), ((0, 20),)),
        Session(110, (1,), ((1, 120),)),
        Session(210, (0, 1), ((1, 220),)),
        Session(900, (1, 0)),
    ]
    pairs, lessons = lessons_of(*sessions)
    assert steps_before(pairs, lessons, 0) == [0, 1, 2]
    assert steps_before(pairs, lessons, 1) == [0, 1, 2]


def test_each_pairs_queries_are_numbered_from_zero_in_order():
    sessions = [
        Session(10, (0, 1), ((0, 20),), query=5),
        Session(110, (0,), ((0, 120),), query=2),
        Session(210, (0, 1), ((0, 220),), query=5),
    ]
    _, lessons = lessons_of(*sessions, Session(900, (0,)))
    assert lessons.slot_offsets.tolist() == [0, 2, 3]
    assert lessons.slot_query.tolist() == [2, 5, 5]
    assert lessons.term_slot.tolist() == [1, 0, 1, 0, 0]
    assert lessons.term_query.tolist() == [5, 2, 5, 5, 5]


@pytest.mark.parametrize(
    "rejected", [Session(10, (0,)), Session(10, (0,), ((0, 20),), irrelevant=True)]
)
def test_where_nothing_is_selected_nothing_is_learnt(rejected):
    pairs, lessons = lessons_of(rejected, Session(900, (0, 1)))
    assert lessons.step_offsets.tolist() == [0, 0, 0]
    assert lessons.term_offsets.tolist() == [0]
    assert len(lessons.clicked) == len(lessons.unclicked) == len(lessons.term_query) == 0
    assert steps_before(pairs, lessons, 0) == [0, 0]


def test_kinds_of_numbers_are_those_that_the_engine_takes():
    pairs, lessons = lessons_of(Session(10, (0, 1), ((0, 20),)), Session(900, (0, 1)))
    assert pairs.showings.pair_object.dtype == np.int32
    assert pairs.showings.offsets.dtype == np.int64
    for name in ("term_query", "term_slot", "slot_query", "steps_before"):
        assert getattr(lessons, name).dtype == np.int32, name
    for name in ("step_offsets", "term_offsets", "slot_offsets"):
        assert getattr(lessons, name).dtype == np.int64, name
    assert lessons.clicked.dtype == lessons.unclicked.dtype == np.float64


def test_how_owners_are_grouped_changes_no_pairs_lesson():
    log = make_log(5, n_sessions=120, n_users=6)
    timeline = build_timeline(log, ReplayConfig(quiet_seconds=QUIET), window="all")
    schedule = build_schedule(timeline, SelectionConfig(), interval_seconds=3600, batch_size=10)

    def by_pair(owner_block):
        pairs = build_pairs(timeline, owner_block=owner_block)
        lessons = build_lessons(timeline, pairs.showings, schedule, term_weight="session")
        learnt = {}
        keys = zip(pairs.owner.tolist(), pairs.showings.pair_object.tolist(), strict=True)
        for number, key in enumerate(keys):
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
