"""What a store keeps of interleaved searches, of their users, and of the searches' health."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class InterleavedSession(NamedTuple):
    """An interleaved search, with its clicks so far.

    Args:
        session_id: Its name.
        cluster: Whose it is: searches of one user depend on each other. One of an unknown user is
            a cluster of its own.
        adjusted_clicks: Clicked results that the adjusted ranking picked.
        originals_clicks: Clicked results that the originals' ranking picked.
    """

    session_id: str
    cluster: str
    adjusted_clicks: int
    originals_clicks: int


class ClusterTotal(NamedTuple):
    """All counted searches of one cluster: how many, and the sum of their outcomes."""

    n_sessions: int = 0
    outcome: float = 0.0


@dataclass(frozen=True)
class Counting:
    """What comes of looking at interleaved searches; written whole or not at all.

    Args:
        since: When the comparison began that they belong to, in epoch seconds.
        session_ids: The searches, which are not counted again.
        totals: New totals, which replace those of the same cluster.
        expected: Named values of the state that must still stand; None for one not there.
        state: Named values that change together with the rest.
    """

    since: int = 0
    session_ids: Sequence[str] = ()
    totals: Mapping[str, ClusterTotal] = field(default_factory=dict)
    expected: Mapping[str, str | None] = field(default_factory=dict)
    state: Mapping[str, str] = field(default_factory=dict)


class OutcomeStore(Protocol):
    """The part of a store that the monitor uses."""

    def interleaved(self, since: int, until: int, limit: int) -> list[InterleavedSession]:
        """Interleaved searches that are not counted yet, in order of (time, name).

        Args:
            since: Searches from this time on, in epoch seconds.
            until: Searches up to this time.
            limit: At most so many, >= 1.
        """

    def cluster_totals(self, since: int, clusters: Collection[str]) -> dict[str, ClusterTotal]:
        """What is counted of clusters in the comparison that began then."""

    def count(self, counting: Counting) -> bool:
        """Write a look down, in one transaction.

        Returns:
            Whether it was written: not if a search has been counted meanwhile, or a value is not
            as expected.
        """

    def states(self, names: Collection[str]) -> dict[str, str]:
        """Named values, those that there are."""

    def add_health(self, minute: int, sums: Mapping[str, float]) -> None:
        """Add to the sums of a minute, counted in minutes since the epoch."""

    def health(self, since: int) -> dict[str, float]:
        """The sums from a minute on, by name."""
