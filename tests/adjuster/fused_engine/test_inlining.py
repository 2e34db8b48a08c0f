"""Functions that go into their callers: they are no code of their own, and say so."""

import numpy as np
import pytest

from adjuster.fused_engine.jit import compiled


@compiled(inline=True)
def scaled(rows, by):
    return rows[0, 0] * by


@compiled(inline=True)
def twice(rows):
    return scaled(rows, 2.0)


@compiled()
def entry(rows):
    return twice(rows) + scaled(rows, 3.0) + scaled(rows, 4)


def test_callers_take_them_in_whatever_they_are_called_with():
    assert entry(np.full((1, 1), 10.0)) == 90.0
    single = entry(np.full((1, 1), 0.1, np.float32))
    assert single == pytest.approx(9 * np.float64(np.float32(0.1)), rel=1e-12)


@pytest.mark.parametrize("many", [1, 2])
def test_python_cannot_call_them(many):
    rows = np.ones((1, 1))
    function, arguments = (twice, (rows,)) if many == 1 else (scaled, (rows, 2.0))
    for _ in range(2):
        with pytest.raises(KeyError, match="can be called by compiled code alone"):
            function(*arguments)
