"""What runs the work on partitions: one protocol, and the engine that needs nothing else."""

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol, TypeVar

from experiments.replay.partitioned.workbench import Workbench

Found = TypeVar("Found")


class Engine(Protocol):
    """Runs the same step on many partitions; what comes of it does not depend on the engine."""

    def map(
        self, bench: Workbench, step: Callable[[Workbench, int], Found], numbers: Iterable[int]
    ) -> Iterator[Found]:
        """What a step makes of each partition, in the order of their numbers.

        Args:
            bench: Where the partitions lie and how they are worked on.
            step: A method of `Workbench`, with all but the number given by `functools.partial`.
            numbers: Pair parts, or shards.
        """


class LocalEngine:
    """One partition after the other, in this process."""

    def map(
        self, bench: Workbench, step: Callable[[Workbench, int], Found], numbers: Iterable[int]
    ) -> Iterator[Found]:
        """See `Engine.map`."""
        for number in numbers:
            yield step(bench, number)
