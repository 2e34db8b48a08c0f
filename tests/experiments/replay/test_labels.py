"""What counts as a good result, counted on fingers."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.common.errors import InputError
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.replay.click_history import click_history, clicked_before
from experiments.replay.labels import build_labels, has_positive
from experiments.replay.layout import lay_out
from experiments.replay.timeline import build_timeline
from tests.experiments.hand_log import Session, write_log

SEARCHES = (
    Session(100, (0, 1), ((0, 101), (1, 9999)), user=0),
    Session(200, (0, 1), ((0, 201),), user=0),
    Session(300, (0, 2), ((2, 301),), user=1),
    Session(400, (0, 2), ((2, 401),), user=-1),
    Session(500, (2, 0), ((2, 501),), user=1),
)
RELEVANCE = np.array([2, 0, np.nan, 1, 0, np.nan, 0, 1, 3, np.nan], np.float32)


def timeline_of(relevance=None, warmup=0.0):
    log = write_log(*SEARCHES)
    if relevance is not None:
        log = replace(log, impression_relevance=relevance)
    return build_timeline(log, ReplayConfig(split=SplitConfig(warmup, 1.0 - warmup)))


def labels_of(timeline, estimator="naive", repeat_clicks="count"):
    among_equals = np.arange(timeline.n_impressions)
    return build_labels(
        timeline,
        among_equals,
        click_history(timeline),
        estimator=estimator,
        repeat_clicks=repeat_clicks,
    )


def test_a_click_counts_whenever_it_came():
    labels = labels_of(timeline_of())
    assert labels.gains.tolist() == [1, 1, 1, 0, 0, 1, 0, 1, 1, 0]
    assert labels.gains.tolist() == labels.clicks.tolist()
    assert labels.judged is None
    assert labels.left_out is None


@pytest.mark.parametrize("estimator", ["naive", "logged", "file", "estimated"])
def test_only_judgements_take_the_place_of_clicks(estimator):
    labels = labels_of(timeline_of(RELEVANCE), estimator)
    assert labels.gains.tolist() == labels.clicks.tolist()


def test_what_nobody_judged_is_worth_nothing():
    labels = labels_of(timeline_of(RELEVANCE), "judged")
    assert labels.gains.tolist() == [2, 0, 0, 1, 0, 0, 0, 1, 3, 0]
    assert labels.judged.tolist() == (~np.isnan(RELEVANCE)).tolist()
    assert labels.clicks.sum() == 6


def test_clicked_before_is_of_the_same_user_and_of_an_earlier_session():
    # Object 0 by user 0; object 2 by user 1; object 1 is clicked only after the second search.
    expected = [0, 0, 1, 0, 0, 0, 0, 0, 1, 0]
    assert clicked_before(timeline_of()).tolist() == [bool(flag) for flag in expected]


def test_repeats_are_left_out_where_that_is_asked_for():
    labels = labels_of(timeline_of(), repeat_clicks="ignore")
    np.testing.assert_array_equal(labels.left_out, labels.clicked_before)
    assert labels.kept(labels.gains).tolist() == [1, 1, 0, 0, 0, 1, 0, 1, 0, 0]
    counted = labels_of(timeline_of())
    assert counted.kept(counted.gains) is counted.gains


def test_a_negative_judgement_is_refused():
    with pytest.raises(InputError, match=r"relevance must be >= 0, got -1\.0"):
        labels_of(timeline_of(np.where(RELEVANCE == 3, -1, RELEVANCE)), "judged")


def test_nothing_positive_to_score_is_refused_with_the_estimator():
    nothing = np.zeros(10, np.float32)
    nothing[0] = 1.0  # in warmup
    timeline = timeline_of(nothing, warmup=0.2)
    assert not has_positive(timeline, labels_of(timeline, "judged"))
    with pytest.raises(InputError, match=r"positive label \(objective.estimator is judged\)"):
        lay_out(
            timeline.log,
            ReplayConfig(split=SplitConfig(0.2, 0.8)),
            ObjectiveConfig(estimator="judged"),
        )
    timeline = timeline_of(nothing)
    assert has_positive(timeline, labels_of(timeline, "judged"))
