"""What a log can tell, worked by hand."""

import math
from dataclasses import replace

import numpy as np
import pytest

from experiments.judging.detectable_effect import clusters_to_settle, detectable_gain
from experiments.judging.outlook import (
    UNKNOWN,
    Detectable,
    Outlook,
    Reference,
    detectable_on,
    foresee,
)
from experiments.replay.objective import Objective
from experiments.replay.position.identifiability import Movement
from experiments.replay.position.impressions import Impressions
from experiments.replay.position_bias import ClickEstimate
from experiments.replay.results import PositionSums
from experiments.replay.scorable import CLICK, Scorable
from tests.experiments.judging.score_rows import make_scores

KEY = "ndcg_at_10"
TEST = Scorable(
    n_sessions=150,
    n_scorable=120,
    n_withheld=0,
    lacking=CLICK,
    n_users=110,
    n_scorable_users=100,
    n_unknown=0,
    n_units=100,
)
MOVEMENT = Movement(10, 5, 0.5, 0.1, 0.2, 0.3)
OUTLOOK = Outlook(
    KEY,
    "Because.",
    "",
    MOVEMENT,
    TEST,
    "published defaults",
    Detectable(0.02, 90.0),
    0.9,
    0.05,
    0.005,
)

DIFFERENCES = [0.0, 0.1, 0.2, 0.1]
SPREAD = math.sqrt(0.02 / 3)


def four_users(differences=DIFFERENCES, before=0.5, **columns):
    n = len(differences)
    after = [before + difference for difference in differences]
    return make_scores(list(range(n)), [before] * n, after, **columns)


def test_four_users_foretell_what_a_hundred_find():
    found = detectable_on(TEST, four_users(), KEY, headroom=0.0231)
    # (1.984 + 0.845) * .0816 / 10; unseen losers of .5 hide .0152, less than 1.984 * .0082.
    assert found.gain == pytest.approx(0.0231, abs=5e-5)
    assert found.gain == pytest.approx(detectable_gain(SPREAD, 100, largest_loss=0.5))
    assert found.n_needed == pytest.approx(100, abs=1)


def test_where_all_gain_alike_unseen_losers_decide():
    scores = four_users([0.1, 0.1, 0.1, 0.1001])
    assert detectable_on(TEST, scores, KEY, 0.1).gain == pytest.approx(0.0152, abs=1e-4)


def test_people_are_users_and_sessions_of_unknown_users():
    mixed = replace(TEST, n_scorable_users=60, n_unknown=40)
    assert detectable_on(mixed, four_users(), KEY, 0.1) == detectable_on(
        TEST, four_users(), KEY, 0.1
    )


def test_what_sessions_share_counts_as_often_as_the_test_holds_it():
    """Forty users, ten on each of four days; all of a day gain the same."""
    days = np.repeat(np.arange(4), 10)
    scores = make_scores(
        list(range(40)),
        [0.5] * 40,
        [0.5 + DIFFERENCES[day] for day in days],
        owner=[0] * 40,
        query=[0] * 40,
        created_at=list(days * 86_400),
    )
    test = replace(TEST, n_scorable_users=40, n_units=4)
    found = detectable_on(test, scores, KEY, 0.2)
    assert found.gain == pytest.approx(detectable_gain(SPREAD, 4))
    times = clusters_to_settle(0.2, SPREAD) / 4
    assert found.n_needed == math.ceil(40 * times)
    alone = detectable_on(test, replace(scores, owner=scores.user), KEY, 0.2)
    assert alone.gain < found.gain


def test_weighted_sessions_keep_their_inequality_and_propensities_their_error():
    sums = PositionSums(
        before=np.zeros(1),
        after=np.array([0.1]),
        weight=np.array([1.0]),
        draws=np.array([[0.5], [0.5], [0.5]]),
    )
    scores = four_users(weight=np.ones(4), weighted_metric=KEY, positions=sums)
    plain = detectable_on(TEST, four_users(), KEY, 0.1)
    assert detectable_on(TEST, scores, KEY, 0.1) == plain  # one position: p cancels
    two = PositionSums(
        before=np.zeros(2),
        after=np.array([0.2, 0.0]),
        weight=np.array([1.0, 1.0]),
        draws=np.array([[1.0, 1.0], [1.0, 0.5], [1.0, 0.25]]),
    )
    unsure = detectable_on(TEST, replace(scores, positions=two), KEY, 0.1)
    error = math.hypot(SPREAD / 10, float(np.std([0.1, 0.2 / 3, 0.04], ddof=1)))
    assert unsure.gain == pytest.approx(detectable_gain(error * 10, 100, largest_loss=0.5))
    heavy = replace(scores, weight=np.array([3.7, 0.1, 0.1, 0.1]))
    assert detectable_on(TEST, heavy, KEY, 0.1).gain > plain.gain


@pytest.mark.parametrize(
    ("test", "differences"),
    [
        (TEST, [0.0, 0.0]),
        (TEST, [0.1]),
        (TEST, []),
        (replace(TEST, n_scorable_users=0), DIFFERENCES),
        (replace(TEST, n_scorable_users=1), DIFFERENCES),
    ],
)
def test_nothing_is_known_where_nothing_could_differ(test, differences):
    assert str(detectable_on(test, four_users(differences), KEY, 0.1)) == str(UNKNOWN)


def test_no_number_of_users_finds_a_gain_that_is_not_there():
    found = detectable_on(TEST, four_users(), KEY, headroom=0.0)
    assert math.isnan(found.n_needed)
    assert found.gain > 0


@pytest.mark.parametrize(
    ("change", "obstacles"),
    [
        ({}, ()),
        ({"reach": 0.0}, ("no reach",)),
        ({"reach": math.nan}, ()),
        ({"unidentified": "Fixed."}, ("unidentified",)),
        ({"test": replace(TEST, n_scorable_users=19)}, ("few users",)),
        ({"test": replace(TEST, n_scorable_users=20)}, ()),
        ({"test": replace(TEST, n_scorable_users=5, n_unknown=7)}, ("unknown users",)),
        ({"test": replace(TEST, n_unknown=6)}, ()),
        ({"headroom": 0.0049}, ("no headroom",)),
        ({"headroom": 0.005, "detectable": Detectable(0.005, 100.0)}, ()),
        ({"detectable": Detectable(0.051, 200.0)}, ("undetectable",)),
        ({"detectable": UNKNOWN, "headroom": math.nan}, ()),
        (
            {"unidentified": "Fixed.", "test": replace(TEST, n_scorable_users=5), "headroom": -1.0},
            ("unidentified", "few users", "no headroom"),
        ),
    ],
)
def test_obstacles_are_those_of_the_verdict(change, obstacles):
    assert replace(OUTLOOK, **change).obstacles == obstacles


def objective_of(**changes) -> Objective:
    """Two sessions of one query; the results change places, each is clicked on top."""
    log = Impressions(
        query=np.zeros(2, np.int64),
        user=np.arange(2),
        offsets=np.array([0, 3, 6]),
        object=np.array([0, 1, 2, 1, 0, 2]),
        position=np.array([0, 1, 2, 0, 1, 2]),
        clicked=np.array([True, False, False, True, False, False]),
    )
    estimate = ClickEstimate(log, np.array([3.0, 2, 1, 2, 3, 1]))
    known = {
        "key": KEY,
        "metric": KEY,
        "estimator": "judged",
        "reason": "Judged.",
        "bias": None,
        "clicks": estimate,
    }
    return Objective(**{**known, **changes})


def test_the_best_of_oracles_and_reference_is_the_headroom():
    def headroom(oracles, reference):
        return foresee(objective_of(), TEST, oracles, reference, 0.005).headroom

    assert headroom([0.02, -0.3], Reference("known", four_users())) == pytest.approx(0.1)
    assert headroom([0.02, 0.3], Reference("known", four_users())) == 0.3
    assert headroom([0.02, math.nan], None) == 0.02
    assert math.isnan(headroom([math.nan], None))


def test_reach_is_that_of_the_reference():
    half = four_users(reached=[True, False, True, False])
    known = foresee(objective_of(), TEST, [], Reference("known", half), 0.005)
    assert (known.reference, known.reach) == ("known", 0.5)
    none = foresee(objective_of(), TEST, [], None, 0.005)
    assert none.reference == ""
    assert math.isnan(none.reach)


def test_how_results_moved_is_told_of_every_log():
    found = foresee(objective_of(), TEST, [0.02], None, 0.005)
    moved = found.movement
    assert (moved.n_pairs, moved.n_moved, moved.moved_click_share) == (3, 2, 1.0)
    # Agrees with the vectors in the first session, one swap of three results in the second.
    assert moved.score_agreement == pytest.approx((1 + 0.5) / 2)
    # Object 0 was clicked before the second session, where it stands in the middle.
    assert moved.click_agreement == pytest.approx(0.0)
    assert (found.objective, found.reason, found.unidentified) == (KEY, "Judged.", "")
    assert str(found.detectable) == str(UNKNOWN)
    naive = foresee(objective_of(estimator="naive"), TEST, [], None, 0.005)
    assert naive.movement == moved


def test_a_log_without_clicks_still_tells_how_results_moved():
    silent = objective_of().clicks
    silent = replace(silent, log=replace(silent.log, clicked=np.zeros(6, bool)))
    found = foresee(objective_of(clicks=silent, estimator="naive"), TEST, [], None, 0.005)
    assert (found.movement.n_moved, found.unidentified) == (2, "Judged.")
    assert math.isnan(found.movement.moved_click_share)
