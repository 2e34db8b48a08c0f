"""A worker's hold on the sessions that it has taken: it ends by itself if the worker does.

One lease is out at a time. A second worker finds the queue held and stands by, so that batches are
learnt one after the other, in the order and of the size that the replay has: an owner's sessions
can never be learnt by two workers at once, nor a later batch before an earlier one. What many
cores can do together they do inside a batch.
"""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

MOST_ATTEMPTS = 3
"""So often a session is taken before it fails."""

LAPSED = "a worker took it and was gone before it had finished"
"""Why a session is pending again whose lease has run out."""


class Lease(NamedTuple):
    """A claim to sessions.

    Args:
        token: Its name, never given twice.
        now: When it is asked for, in seconds of the worker's clock.
        until: From when on it counts no more.
    """

    token: str
    now: float
    until: float

    def renewed(self, now: float) -> "Lease":
        """The same lease for as long again, from another time on."""
        return Lease(self.token, now, now + self.until - self.now)


def new_lease(now: float, seconds: float) -> Lease:
    """A lease that holds nothing yet."""
    return Lease(uuid4().hex, now, now + seconds)


def count_to_take(held: Sequence[int], waiting: Sequence[int]) -> int:
    """How many of the oldest waiting sessions may join those that a lease holds.

    A session's last attempt is made alone: what ends the process then is its own doing, and its
    neighbours do not fail with it.

    Args:
        held: How often each session under the lease has been taken, this time included.
        waiting: How often each waiting session was taken before, the oldest first.

    Example:
        >>> count_to_take([], [0, 0, 1]), count_to_take([], [2, 0]), count_to_take([], [0, 2, 0])
        (3, 1, 1)
        >>> count_to_take([1], [2]), count_to_take([3], [0])
        (0, 0)
    """
    last = MOST_ATTEMPTS - 1
    if any(attempts > last for attempts in held):
        return 0
    if not held and waiting and waiting[0] >= last:
        return 1
    return next((i for i, attempts in enumerate(waiting) if attempts >= last), len(waiting))


def reason_after(attempts: int, reason: str) -> str:
    """What is said of a session that has been taken so often, each time in vain.

    Example:
        >>> reason_after(3, "out of memory")
        'given up after 3 attempts: out of memory'
    """
    return f"given up after {attempts} attempts: {reason}" if attempts >= MOST_ATTEMPTS else reason
