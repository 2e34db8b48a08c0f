"""Faults in data: gathered while all of it is checked, then reported at once."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from experiments.common.errors import InputError

N_EXAMPLES = 5
MAX_SHOWN = 60


@dataclass(frozen=True)
class Fault:
    """One kind of fault.

    Args:
        file: Where it is.
        what: The column (or columns) and what must hold of it.
        rows: Shape ``(n,)``: 0-based rows of the file that break it; empty for a whole file.
        examples: What came in the first rows.
    """

    file: str
    what: str
    rows: NDArray[np.int64]
    examples: tuple[str, ...]

    def moved(self, rows: NDArray[np.int64]) -> "Fault":
        """The same fault in another table, of which `rows` are the rows of this one."""
        moved = rows[self.rows] if len(self.rows) else self.rows
        return replace(self, rows=moved)

    def describe(self) -> str:
        """The fault as text, one line and one more for each example."""
        lines = [f"{self.file}: {self.what}{_count(len(self.rows))}"]
        lines += [
            f"  row {row}: got {example}"
            for row, example in zip(self.rows[:N_EXAMPLES], self.examples, strict=False)
        ]
        return "\n".join(lines)


def _count(n_rows: int) -> str:
    if not n_rows:
        return ""
    return f" ({n_rows:,} row{'s' if n_rows > 1 else ''}; rows count from 0):"


class Faults:
    """All faults found so far.

    Example:
        >>> faults = Faults()
        >>> faults.add_rows("a.parquet", "n must be >= 0", np.array([False, True]), lambda row: -3)
        >>> print(faults.describe())
        a.parquet: n must be >= 0 (1 row; rows count from 0):
          row 1: got -3
    """

    def __init__(self) -> None:
        self.found: list[Fault] = []

    def __bool__(self) -> bool:
        return bool(self.found)

    def add_file(self, file: str, what: str) -> None:
        """Report a fault of a whole file."""
        self.found.append(Fault(file, what, np.empty(0, np.int64), ()))

    def add_rows(
        self,
        file: str,
        what: str,
        bad: NDArray[np.bool_] | NDArray[np.int64],
        got: Callable[[int], object],
    ) -> None:
        """Report rows, if any.

        Args:
            file: Where they are.
            what: The column and what must hold of it.
            bad: Shape ``(n_rows,)`` bool, or the numbers of the bad rows.
            got: Row → what came there.
        """
        rows = np.flatnonzero(bad) if bad.dtype == np.bool_ else np.sort(bad)
        if not len(rows):
            return
        examples = tuple(show(got(int(row))) for row in rows[:N_EXAMPLES])
        self.found.append(Fault(file, what, rows.astype(np.int64), examples))

    def describe(self) -> str:
        """Every fault as text."""
        return "\n".join(fault.describe() for fault in self.found)

    def raise_if_any(self, heading: str) -> None:
        """Raise one `InputError` that lists all faults under a heading.

        Raises:
            InputError: If there is a fault.
        """
        if self.found:
            raise InputError(f"{heading}\n{self.describe()}")


def show(value: object) -> str:
    """A value on one line, cut to what a reader can use.

    Example:
        >>> show("line\\nbreak")
        "'line\\\\nbreak'"
        >>> len(show("x" * 10_000)) < 100
        True
    """
    text = value if isinstance(value, Got) else repr(value)
    if len(text) <= MAX_SHOWN or isinstance(value, Got):
        return str(text)
    return f"{text[:MAX_SHOWN]}… ({len(str(value)):,} characters)"


class Got(str):
    """A description that `show` prints as it stands."""
