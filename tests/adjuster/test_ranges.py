"""Constraints that test and word themselves."""

import math
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adjuster import ranges
from adjuster.ranges import Rule, at_least, between, check_settings, one_of, or_null, setting


@dataclass
class Toy:
    size: int = setting(2, at_least(1, "word"), "Words.")
    kind: str = setting("a", one_of("a", "b"), "Kind.")
    free: float | None = setting(None, or_null(between(0, 1, "()"), "for none"), "Free.")
    names: list[str] = setting(factory=list, text="Names.")

    def __post_init__(self) -> None:
        check_settings(self, "toy", [Rule("size", self.size, self.size != 13, "lucky")])


def test_all_faults_are_told_in_the_order_of_the_fields():
    with pytest.raises(ValueError, match="toy") as refused:
        Toy(0, "c", 1.0)
    assert str(refused.value).splitlines() == [
        "toy.size must be >= 1 word, got 0.",
        "toy.kind must be one of a, b, got c.",
        "toy.free must be in (0, 1), or null for none, got 1.0.",
    ]


def test_a_rule_over_several_settings_is_checked_too():
    with pytest.raises(ValueError, match=r"^toy.size must be lucky, got 13\.$"):
        Toy(13)


def test_a_list_is_a_fresh_one_each_time():
    assert Toy().names is not Toy().names


@given(st.floats(allow_nan=False), st.floats(-5, 5), st.floats(-5, 5))
def test_an_interval_holds_its_inside_and_the_ends_that_it_includes(value, low, high):
    inside = low < value < high
    for ends in ("[]", "[)", "(]", "()"):
        expected = inside or (
            low <= high
            and ((value == low and ends[0] == "[") or (value == high and ends[1] == "]"))
            and not (value == low and ends[0] == "(")
            and not (value == high and ends[1] == ")")
        )
        assert between(low, high, ends).holds(value) is expected


@pytest.mark.parametrize(
    ("constraint", "good", "bad"),
    [
        (ranges.whole(), [0, 7], [-1, 1.5, "1", None]),
        (ranges.positive(), [1e-9, 1e9], [0, -1, math.inf, math.nan, "1"]),
        (ranges.positive(10), [10], [10.1]),
        (ranges.not_negative(), [0, 3.5], [-1e-9, math.inf, None]),
        (ranges.number(), [-3, 0.5], [math.nan, math.inf, "x"]),
        (ranges.at_least(2), [2, math.inf], [1, math.nan, "3", None]),
        (ranges.one_of("a"), ["a"], ["b", None]),
        (ranges.or_null(ranges.whole()), [None, 1], [-1]),
        (ranges.or_word(ranges.number(), "auto"), ["auto", 1], ["else", None]),
    ],
)
def test_a_constraint_holds_what_it_says(constraint, good, bad):
    assert constraint.words
    assert all(constraint.holds(value) for value in good)
    assert not any(constraint.holds(value) for value in bad)
