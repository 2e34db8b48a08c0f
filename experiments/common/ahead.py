"""Items made ahead: the next is worked out while this one is used."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterable[T]) -> Iterator[T]:
    """Give items in their order, one made in a thread while its user works on the one before.

    At most two are in memory. What making one raises is raised where it is asked for.

    Args:
        items: Made one after the other, by one thread.

    Example:
        >>> list(ahead(range(3)))
        [0, 1, 2]
    """
    source, end = iter(items), object()
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, source, end)
        while (item := coming.result()) is not end:
            coming = thread.submit(next, source, end)
            yield item  # type: ignore[misc]
