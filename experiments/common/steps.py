"""What is being done while nothing else is printed: a bar on a terminal, a line elsewhere."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.progress_bar import ProgressBar
from rich.table import Column
from rich.text import Text

Advance = Callable[[int], None]
"""Takes how much more is done."""

PER_SECOND = 4


@contextmanager
def step(
    what: str,
    total: int | None = None,
    *,
    unit: str = "",
    seconds: float | None = None,
    stream: TextIO | None = None,
    quiet: bool = False,
) -> Iterator[Advance]:
    """Show what is being done for as long as it lasts, with the time left where that is known.

    Args:
        what: In words.
        total: How much there is to do; None where nobody knows.
        unit: What is counted; shown where there is no total.
        seconds: About how long it takes, where nothing can be counted.
        stream: Where to show it; stderr by default.
        quiet: No line where there is no terminal.

    Yields:
        What to call when more of it is done.
    """
    shown = sys.stderr if stream is None else stream
    if not shown.isatty():
        if not quiet:
            print(f"{what} …", file=shown, flush=True)
        yield lambda more: None
        return
    with bars(shown) as progress:
        task = progress.add_task(what, total=total, unit=unit, seconds=seconds)
        yield lambda more: progress.update(task, advance=more)


def bars(stream: TextIO) -> Progress:
    """Bars that stand below what is printed, and are gone when they are done.

    Args:
        stream: A terminal.
    """
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=Column(overflow="fold")),
        _Bar(bar_width=16),
        _TimeLeft(),
        TimeElapsedColumn(),
        console=Console(file=stream, highlight=False),
        transient=True,
        refresh_per_second=PER_SECOND,
        redirect_stdout=False,
        redirect_stderr=False,
    )


class _Bar(BarColumn):
    """How much is done: counted, else by the clock for as long as it was expected to last."""

    def render(self, task: Task) -> ProgressBar:
        """Pulses where neither is known."""
        bar, left = super().render(task), _seconds_left(task)
        if left is not None:
            bar.total = task.fields["seconds"]
            bar.completed = bar.total - left
        return bar


class _TimeLeft(ProgressColumn):
    """The time left, once it is known; what was counted where there is no total."""

    def render(self, task: Task) -> Text:
        """As minutes and seconds."""
        unit, left = task.fields.get("unit"), _seconds_left(task)
        if unit:
            return Text(f"{task.completed:,.0f} {unit}")
        if task.total is not None:
            left = task.time_remaining
        if left is None:
            return Text("")
        minutes, seconds = divmod(round(left), 60)
        return Text(f"{minutes}:{seconds:02d} left")


def _seconds_left(task: Task) -> float | None:
    """Of what was expected to take so long; None where it takes longer, or nobody knows."""
    seconds = task.fields.get("seconds")
    left: float = (seconds or 0.0) - (task.elapsed or 0.0)
    return left if left > 0 else None
