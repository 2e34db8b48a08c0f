"""Lines and tables that fit the terminal; as they are where there is none.

What goes to a file or a pipe is never wrapped and never left out.
"""

import re
import shutil
import sys
from collections.abc import Sequence
from io import StringIO
from textwrap import wrap
from typing import TextIO

from experiments.common.wording import grid

NARROWEST = 40
COMMAND = re.compile(r"(?:^ *|: +)(?=(?:python -m|mlflow) )")
"""Where a command begins that is all of a line, or all behind a colon; not one amid a sentence."""

NAMED = re.compile(r" *\S+(?: \S+)* {2,}(?=\S)")
"""What stands before the second column of a line that has two."""

Rows = Sequence[Sequence[str]]


def width_of(stream: TextIO | None) -> int | None:
    """Characters of a terminal's line; None where the stream goes elsewhere.

    Args:
        stream: Where something is to be written.
    """
    if stream is None or not stream.isatty():
        return None
    return max(NARROWEST, shutil.get_terminal_size().columns)


def say(text: str, *, end: str = "\n") -> None:
    """Print a text to stdout at once, wrapped to the terminal.

    Args:
        text: Any number of lines.
        end: Stands behind it.
    """
    print(fitted(text, width_of(sys.stdout)), end=end, flush=True)


def fitted(text: str, width: int | None) -> str:
    """A text whose lines are no longer than this; words stay whole.

    Args:
        text: Any number of lines.
        width: Characters; None leaves it as it is.

    Example:
        >>> print(fitted("- one two three four", 12))
        - one two
          three four
        >>> print(fitted("name  one two three", 14))
        name  one two
              three
    """
    if width is None:
        return text
    return "\n".join(part for line in text.split("\n") for part in _wrapped(line, width))


def _wrapped(line: str, width: int) -> list[str]:
    """A line in parts; those behind the first stand below its text.

    A command goes on behind a backslash, so that it can still be pasted into a shell.
    """
    if len(line) <= width:
        return [line]
    text = line.lstrip(" ")
    named = NAMED.match(line)
    indent = " " * (len(line) - len(text) + (2 if text.startswith("- ") else 0))
    if named and named.end() <= min(2 * width // 3, width - _longest_word(line[named.end() :])):
        indent = " " * named.end()
    begin = COMMAND.search(line)
    joint = " \\" if begin else ""
    parts = wrap(
        line,
        width - len(joint),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    shown, told = [], 0
    for part in parts[:-1]:
        told += len(part.replace(" ", ""))
        within = begin and told > len(line[: begin.end()].replace(" ", ""))
        shown.append(f"{part}{joint}" if within else part)
    return [*shown, *parts[-1:]]


def _longest_word(text: str) -> int:
    return max(map(len, text.split()), default=0)


def fitted_grid(
    rows: Rows, width: int | None, *, n_left: int = 1, dropped: Sequence[str] = ()
) -> list[str]:
    """A table as lines: columns are left out in a stated order, then cells are wrapped.

    Args:
        rows: The cells, the head first; every row has as many.
        width: Characters; None leaves the table as it is.
        n_left: Number of columns that are aligned left; the others are aligned right.
        dropped: Heads of the columns to leave out, the first one first.

    Example:
        >>> rows = [("", "Recall@10", "drift"), ("similarity + popularity", ".700", ".1")]
        >>> print(*fitted_grid(rows, 40, dropped=["Recall@10"]), sep="\\n")
                                 drift
        similarity + popularity     .1
        (left out for want of room: Recall@10)
    """
    shown, left_out = [list(row) for row in rows], []
    lines = grid(shown, n_left=n_left)
    for head in dropped:
        if width is None or _widest(lines) <= width:
            break
        if head in shown[0]:
            place = shown[0].index(head)
            shown = [row[:place] + row[place + 1 :] for row in shown]
            left_out.append(head)
            lines = grid(shown, n_left=n_left)
    if width is not None and _widest(lines) > width:
        lines = _folded(shown, width, n_left)
    note = fitted(f"(left out for want of room: {', '.join(left_out)})", width)
    return [*lines, *(note.split("\n") if left_out else [])]


def _widest(lines: Sequence[str]) -> int:
    return max(map(len, lines), default=0)


def _folded(rows: Rows, width: int, n_left: int) -> list[str]:
    """A table whose cells take several lines where one is not enough."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for column in range(len(rows[0])):
        table.add_column(justify="left" if column < n_left else "right", overflow="fold")
    for row in rows:
        table.add_row(*row)
    stream = StringIO()
    console = Console(file=stream, width=width, color_system=None, markup=False, highlight=False)
    console.print(table)
    return [line.rstrip() for line in stream.getvalue().splitlines()]
