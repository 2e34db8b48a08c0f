"""The parts of the benchmark, by name."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module


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
    "calibration": "experiments.benchmarks.calibration",
    "ingest": "experiments.benchmarks.ingests",
}
"""Part → the module whose ``measure() -> Measured`` runs it. Loaded only when asked for."""


def measure_part(name: str) -> Measured:
    """Run one part of `PARTS`."""
    measure: Callable[[], Measured] = import_module(PARTS[name]).measure
    return measure()


def text_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Columns of text, the first left-aligned, the others right-aligned.

    Example:
        >>> print(text_table(("engine", "a second"), [("fused", "10"), ("torch", "9")]))
        engine  a second
        fused         10
        torch          9
    """
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (head, *rows)
    )
