"""What live searches leave to chance, and how much of them is compared and checked."""

from dataclasses import dataclass

from adjuster.ranges import between, check_settings, setting, whole


@dataclass
class SearchConfig:
    """How live searches are made.

    Example:
        >>> SearchConfig(exploration_ratio=2)
        Traceback (most recent call last):
        ValueError: search.exploration_ratio must be in [0, 1], got 2.
    """

    exploration_ratio: float = setting(
        0.0, between(0, 1), "Chance of a slot of an adjusted ranking to show the originals' next."
    )
    interleaved_share: float = setting(
        0.5, between(0, 1), "Share of the users with interleaved rankings in mode interleave."
    )
    kept_share: float = setting(
        0.05, between(0, 1), "Share of the users with interleaved rankings in mode on, for ever."
    )
    checked_share: float = setting(
        0.01, between(0, 1), "Share of the searches whose index is checked by its own vectors."
    )
    seed: int = setting(0, whole(), "Seed of who is assigned to what, and of all draws.")

    def __post_init__(self) -> None:
        check_settings(self, "search")
