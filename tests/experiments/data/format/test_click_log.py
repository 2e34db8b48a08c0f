"""What a click log knows of itself: whose event it is, what was clicked."""

from dataclasses import replace

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


def test_who_is_a_person_is_the_user_unless_told_otherwise():
    log = make_log(3)
    unknown = log.session_user < 0
    assert unknown.any()
    assert log.session_person.tolist() == log.session_user.tolist()
    each = replace(log, person="session").session_person
    assert each[~unknown].tolist() == log.session_user[~unknown].tolist()
    assert len(set(each[unknown].tolist())) == unknown.sum()
    assert each[unknown].min() >= log.n_users
    segments = replace(log, person="segment").session_person
    assert segments.tolist() == log.session_segment.tolist()
