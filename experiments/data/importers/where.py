"""Which rows a mapping's `where` lets through: values of YAML against cells of any type."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from experiments.data.intake.coercion import FLAG_WORDS, plain_text

WORDS = FLAG_WORDS | {"yes": 1, "y": 1, "on": 1, "no": 0, "n": 0, "off": 0}
"""What YAML takes for true and false, beside what the format does."""

VALUES = "a text, a number, true, false or null, or a list of such"


@dataclass(frozen=True)
class Wanted:
    """The values of a column whose rows are taken.

    ``true`` and ``false`` are flags however they are written (``True``, ``yes``, ``1``); a number
    is equal to a cell of the same value (``1``, ``"1.0"``, a flag that is set); a text to a cell
    that reads the same; null to a cell that is missing or empty.

    Example:
        >>> Wanted((True,)).choose(["TRUE", 1, True, "1", "no", 0, None]).tolist()
        [True, True, True, True, False, False, False]
        >>> Wanted((2, "x", None)).choose(["2.0", 2, "x", "", None, "X"]).tolist()
        [True, True, True, True, True, False]
    """

    values: tuple[Any, ...]

    def choose(self, cells: Any) -> NDArray[np.bool_]:
        """Whether each cell of a column, a list or an Arrow array, has one of the values."""
        if isinstance(cells, pa.Array | pa.ChunkedArray):
            return self._of_arrow(cells)
        known: dict[tuple[type, Any], bool] = {}
        return np.array([self._of_cell(cell, known) for cell in cells], bool)

    def _of_arrow(self, cells: Any) -> NDArray[np.bool_]:
        """Each distinct value is looked at once, where Arrow can tell them apart."""
        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(cells.type.value_type)
        try:
            coded = cells.dictionary_encode(null_encoding="encode")
        except pa.ArrowException:
            return self.choose(cells.to_pylist())
        if isinstance(coded, pa.ChunkedArray):
            coded = coded.combine_chunks()
        mine = np.array([self._matches(cell) for cell in coded.dictionary.to_pylist()], bool)
        return np.asarray(mine[coded.indices.to_numpy()], bool)

    def _of_cell(self, cell: Any, known: dict[tuple[type, Any], bool]) -> bool:
        if isinstance(cell, list | dict):
            return self._matches(cell)
        key = (type(cell), cell)
        if key not in known:
            known[key] = self._matches(cell)
        return known[key]

    def _matches(self, cell: Any) -> bool:
        return any(_rule(value)(value, cell) for value in self.values)


def fault_of(value: Any) -> str:
    """What is wrong with the value of a column under `where`; "" if nothing is.

    Example:
        >>> fault_of([1, "x", None]), fault_of([])
        ('', 'must name at least one value')
    """
    values: Sequence[Any] = value if isinstance(value, list) else [value]
    if not values:
        return "must name at least one value"
    plain = all(v is None or isinstance(v, str | int | float | date) for v in values)
    return "" if plain else f"must be {VALUES}"


def wanted(value: Any) -> Wanted:
    """The values that a mapping names for a column: one, or a list of them."""
    return Wanted(tuple(value) if isinstance(value, list) else (value,))


def _rule(value: Any) -> Callable[[Any, Any], bool]:
    if _is_gap(value):
        return lambda _, cell: _is_gap(cell)
    if isinstance(value, bool):
        return _same_flag
    return _same_number if isinstance(value, int | float) else _same_text


def _is_gap(value: Any) -> bool:
    return value in (None, "") or (isinstance(value, float) and math.isnan(value))


def _same_flag(value: bool, cell: Any) -> bool:
    if isinstance(cell, str):
        return WORDS.get(cell.strip().lower().removesuffix(".0")) == value
    return isinstance(cell, int | float) and cell == value


def _same_number(value: float, cell: Any) -> bool:
    if isinstance(cell, str):
        try:
            return Decimal(cell.strip()) == Decimal(str(value))
        except InvalidOperation:
            return False
    return isinstance(cell, int | float) and cell == value


def _same_text(value: Any, cell: Any) -> bool:
    if isinstance(cell, bool):
        return str(value).strip().lower() == str(cell).lower()
    return not _is_gap(cell) and plain_text(cell) == plain_text(value)
