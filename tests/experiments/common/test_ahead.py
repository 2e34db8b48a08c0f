"""Items made ahead: order, how many there are at once, faults."""

import threading

import pytest

from experiments.common.ahead import ahead


def test_the_next_item_is_made_while_this_one_is_used_and_no_more():
    made = [threading.Event() for _ in range(4)]

    def items():
        for number, event in enumerate(made):
            event.set()
            yield number

    found = ahead(items())
    assert next(found) == 0
    assert made[1].wait(5)
    assert not made[2].is_set()
    assert list(found) == [1, 2, 3]


def test_a_fault_is_raised_where_its_item_is_asked_for():
    def items():
        yield 1
        raise KeyError("second")

    found = ahead(items())
    assert next(found) == 1
    with pytest.raises(KeyError, match="second"):
        next(found)


def test_who_stops_early_leaves_no_thread():
    before = threading.active_count()
    found = ahead(iter(range(9)))
    next(found)
    found.close()
    assert threading.active_count() == before
