"""Names and texts are what every MLflow server takes, and tell apart what was apart."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from experiments.tracking.lengths import LONGEST_KEY, key_of, shortened


@given(st.text(), st.integers(40, 60))
@example("x" * 41, 40)
def test_a_text_is_never_longer_and_changes_only_where_it_is(text, longest):
    short = shortened(text, longest)
    assert len(short) <= longest
    assert short == text if len(text) <= longest else short.endswith(f"({len(text)} characters)")


@given(st.text(max_size=300))
@example("a" * 251)
@example("/")
@example("..")
@example("ab\n")
def test_mlflow_takes_every_name(name):
    from mlflow.utils.validation import _validate_param_name

    _validate_param_name(key_of(name))
    assert len(key_of(name)) <= LONGEST_KEY


@pytest.mark.parametrize(
    ("one", "other"),
    [("a" * 300, "a" * 299 + "b"), ("a+b", "a*b"), ("a+b", "a_b"), ("/a", "a"), ("a.", "a")],
)
def test_names_that_differ_differ_as_keys(one, other):
    assert key_of(one) != key_of(other)
