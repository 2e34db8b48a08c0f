"""The parts of the benchmark, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any


@dataclass(frozen=True)
class Measured:
    """What a part found.

    Args:
        figures: Dotted key → number, as they stand in the JSON.
        table: The same for people.
    """

    figures: dict[str, float]
    table: str


PARTS: dict[str, str] = {
    "adjuster": "experiments.benchmarks.adjusters",
    "replay": "experiments.benchmarks.replays",
    "study": "experiments.benchmarks.studies",
    "search": "experiments.benchmarks.searches",
    "calibration": "experiments.benchmarks.calibration",
    "ingest": "experiments.benchmarks.ingests",
    "scale": "experiments.benchmarks.scale",
    "live": "experiments.benchmarks.live",
    "live_decisions": "experiments.benchmarks.live_decisions",
}
"""Part → the module whose ``measure`` runs it. Loaded only when asked for."""


def measure_part(name: str, **options: Any) -> Measured:
    """Run one part of `PARTS`.

    Args:
        name: Of the part.
        options: What its ``measure`` takes, if anything.
    """
    measure: Callable[..., Measured] = import_module(PARTS[name]).measure
    return measure(**options)
