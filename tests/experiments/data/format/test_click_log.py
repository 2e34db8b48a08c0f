"""What a click log knows of itself: whose event it is, what was clicked."""

import numpy as np

from tests.experiments.random_log import make_log


def test_each_event_belongs_to_the_session_that_showed_it():
    log = make_log(1)
    assert (np.diff(log.impression_offsets) == 0).any()
    for impression, session in zip(log.event_impression, log.event_session, strict=True):
        first, last = log.impression_offsets[session : session + 2]
        assert first <= impression < last


def test_an_impression_is_clicked_where_it_has_an_event():
    log = make_log(2)
    clicked = set(log.event_impression.tolist())
    assert log.is_clicked.tolist() == [row in clicked for row in range(log.n_impressions)]
    assert 0 < log.is_clicked.sum() < log.n_impressions
