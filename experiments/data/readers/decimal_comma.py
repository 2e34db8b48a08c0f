"""Numbers written with a decimal comma, as European spreadsheets do where ``;`` parts values."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

NUMBER = r"^(\s*[-+]?\d*),(\d+(?:[eE][-+]?\d+)?\s*)$"
VECTOR = r"^\s*\[[^.\[\]]*;[^.\[\]]*\]\s*$"


def with_points(values: Any) -> Any:
    """Texts of numbers with a comma as ones with a point; anything else as it came.

    A vector is taken for one with decimal commas where ``;`` stands between its numbers.

    Args:
        values: A column of a delimited file; what is no column of texts is given back.

    Example:
        >>> with_points(pa.array(["0,5", "7", "1,5e-3", "[0,5;-1]", "a,b"])).to_pylist()
        ['0.5', '7', '1.5e-3', '[0.5,-1]', 'a,b']
    """
    if not isinstance(values, pa.Array) or not pa.types.is_string(values.type):
        return values
    numbers = pc.replace_substring_regex(values, NUMBER, r"\1.\2")
    vectors = pc.replace_substring(pc.replace_substring(values, ",", "."), ";", ",")
    return pc.if_else(pc.match_substring_regex(values, VECTOR), vectors, numbers)
