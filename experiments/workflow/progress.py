"""One calm line of progress: best so far, trials done, pruned, failed, time left."""

import math
import sys
import time
from typing import TextIO

from experiments.common.console import fitted, width_of
from experiments.common.steps import bars
from experiments.common.wording import label, plain
from experiments.study.records import COMPLETE, FAILED, PRUNED, TrialRecord

SECONDS_BETWEEN_LINES = 10.0
NONE_YET = "best: none within the guardrails yet (starts first)"


class Progress:
    """Shows how a study goes: a bar on a terminal, a line now and then elsewhere.

    Args:
        metric: The objective.
        total: Trials that the study shall reach; None where it finds when to end.
        records: Trials it has.
        stream: Where to show it; stderr by default.
        verbose: A line a trial, on a terminal too.
    """

    def __init__(
        self,
        metric: str,
        total: int | None,
        records: list[TrialRecord],
        *,
        stream: TextIO | None = None,
        verbose: bool = False,
    ) -> None:
        self._stream = stream or sys.stderr
        self._metric = metric
        self._total = total
        self._verbose = verbose
        self._counts = dict.fromkeys((COMPLETE, PRUNED, FAILED), 0)
        self._best = -math.inf
        for record in records:
            self._count(record)
        self._before = self._done
        self._started = self._shown = time.monotonic()
        self._partitions = self._steps = 0
        self._bars = bars(self._stream) if self._stream.isatty() else None
        if self._bars is not None:
            self._trials = self._bars.add_task(self._short(), total=total, completed=self._done)
            self._bars.start()

    @property
    def _done(self) -> int:
        return sum(self._counts.values())

    @property
    def _so_far(self) -> str:
        done = f"{self._done}" if self._total is None else f"{self._done}/{self._total}"
        partitions = f", {self._partitions}/{self._steps} partitions" if self._partitions else ""
        return f"{done} trials{partitions}"

    def partition(self, n_steps: int) -> None:
        """One more partition of the trial under way is done.

        Args:
            n_steps: Partitions that a trial works on.
        """
        self._partitions, self._steps = self._partitions + 1, n_steps
        if self._bars is not None:
            self._bars.update(self._trials, description=self._short())
        else:
            self._line()

    def add(self, record: TrialRecord) -> None:
        """A trial has finished."""
        self._count(record)
        self._partitions = 0
        if self._bars is not None:
            self._bars.update(self._trials, completed=self._done, description=self._short())
        if self._verbose:
            self._write(f"trial {record.number} ({record.origin}): {_outcome(record)}")
        elif self._bars is None:
            self._line()

    def close(self) -> None:
        """Leave the line."""
        if self._bars is not None:
            self._bars.stop()

    def _count(self, record: TrialRecord) -> None:
        if record.lost:
            return
        self._counts[record.state] += 1
        if record.is_feasible and record.value is not None:
            self._best = max(self._best, record.value)

    def _line(self) -> None:
        now = time.monotonic()
        is_last = self._total is not None and self._done >= self._total
        if not is_last and now - self._shown < SECONDS_BETWEEN_LINES:
            return
        self._shown = now
        if self._total is None:
            self._write(self._told())
        else:
            left = (now - self._started) / max(1, self._done - self._before)
            left *= max(0, self._total - self._done)
            self._write(f"{self._told()}, {left:.0f} s left")

    def _told(self) -> str:
        """How far the study is and what it has found."""
        counts = self._counts
        best = (
            f"best {label(self._metric)} {plain(self._best)}"
            if math.isfinite(self._best)
            else NONE_YET
        )
        return (
            f"{self._so_far}, {best}, "
            f"{counts[COMPLETE]} done, {counts[PRUNED]} pruned, {counts[FAILED]} failed"
        )

    def _short(self) -> str:
        """The same beside a bar, on a line of 80 columns; the sweep's first line has the metric."""
        best = f"best {plain(self._best)}" if math.isfinite(self._best) else NONE_YET
        ended = [f"{self._counts[state]} {state}" for state in (PRUNED, FAILED)]
        told = [text for text in ended if not text.startswith("0 ")]
        return ", ".join([self._so_far, best, *told])

    def _write(self, line: str) -> None:
        if self._bars is not None:
            self._bars.console.print(fitted(line, width_of(self._stream)), markup=False)
        else:
            print(line, file=self._stream, flush=True)


def _outcome(record: TrialRecord) -> str:
    return record.reason or f"{record.value:.4f} in {record.seconds:.1f} s"
