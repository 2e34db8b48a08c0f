"""What an actor does: it holds the session columns of a log, and works on one partition at a time.

Its files are read where it runs. Arrays that reach it as arguments cannot be written to, for which
the kernel would be compiled a second time: none of them is handed to the kernel.
"""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

import adjuster
from experiments.data.partitioned_log import PartitionedLog
from experiments.replay.partitioned.workbench import Place, Workbench

BENCHES_KEPT = 2
"""Replays whose session columns are laid out at the same time: of a sweep's tune, and another."""


class PartitionHolder:
    """Works on the partitions of any log that its machine can read."""

    def __init__(self) -> None:
        self._logs: dict[tuple[Path, str], PartitionedLog] = {}
        self._benches: dict[Path, Workbench] = {}

    def mark(self) -> str:
        """What tells its code and NumPy from another's; once it answers, it is ready."""
        return code_mark()

    def work(self, place: Place, step: Callable[[Workbench, int], Any], number: int) -> Any:
        """What a step makes of a partition; see `Engine.map`."""
        return step(self._bench(place), number)

    def _bench(self, place: Place) -> Workbench:
        bench = self._benches.pop(place.scratch, None) or Workbench(place, self._log(place))
        self._benches[place.scratch] = bench
        while len(self._benches) > BENCHES_KEPT:
            del self._benches[next(iter(self._benches))]
        return bench

    def _log(self, place: Place) -> PartitionedLog:
        key = place.folder, place.person
        if key not in self._logs:
            self._logs = {key: PartitionedLog(place.folder, person=place.person, names=False)}
        return self._logs[key]


def code_mark() -> str:
    """A digest of this project's sources and NumPy's version: figures are equal where it is."""
    digest = sha256(np.__version__.encode())
    for package in (Path(adjuster.__file__).parent, Path(__file__).parents[2]):
        for path in sorted(package.rglob("*.py")):
            digest.update(path.relative_to(package).as_posix().encode() + path.read_bytes())
    return digest.hexdigest()
