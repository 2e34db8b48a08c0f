"""Plain values pass; aliases and tags, which may stand for anything, do not."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from experiments.common.plain_yaml import load_plain

BOMB = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="ascii")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=8,
)


@given(plain)
def test_plain_values_come_back(value):
    assert load_plain(yaml.safe_dump(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        BOMB,
        "a: &x 1\nb: *x\n",
        "&x [*x]",
        "a: &x {k: 1}\nb: {<<: *x}\n",
        "- &x y\n- *x\n",
        "*gone",
        "? *x\n: 1",
        "!!python/object/apply:os.system [ls]",
        "!!python/name:os.system",
        "a: !thing 1",
    ],
)
def test_aliases_and_tags_are_refused(text):
    with pytest.raises(yaml.YAMLError):
        load_plain(text)


def test_an_anchor_that_nothing_refers_to_is_harmless():
    assert load_plain("a: &x 1") == {"a": 1}
