"""How numbers, metric names and tables are written for people."""

import math
from collections.abc import Sequence
from typing import Protocol


def label(metric: str) -> str:
    """A metric's name as people write it, with its cutoff.

    Example:
        >>> label("ndcg_at_10"), label("debiased_ndcg_at_10"), label("judged_at_10")
        ('NDCG@10', 'debiased NDCG@10', 'judged@10')
    """
    return (
        metric.replace("_at_", "@")
        .replace("debiased_", "debiased ")
        .replace("judged_", "judged ")
        .replace("condensed_", "condensed ")
        .replace("session_", "session mean ")
        .replace("recall", "Recall")
        .replace("ndcg", "NDCG")
        .replace("mrr", "MRR")
        .replace("map", "MAP")
    )


def plain(value: float) -> str:
    """Three decimals without a leading zero; zero has no sign.

    Example:
        >>> plain(0.7011), plain(-0.5), plain(-0.0001), plain(1.25)
        ('.701', '-.500', '.000', '1.250')
    """
    text = f"{value:z.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def signed(value: float) -> str:
    """Three decimals with their sign, without a leading zero; what rounds to zero has no sign.

    Example:
        >>> signed(0.021), signed(-0.021), signed(-0.0001), signed(0.0)
        ('+.021', '-.021', '.000', '.000')
        >>> signed(float("nan"))
        'undetermined'
    """
    if math.isnan(value):
        return "undetermined"
    return f"+{plain(value)}" if round(value, 3) > 0 else plain(value)


class Ranged(Protocol):
    """A gain and the ends of its interval."""

    @property
    def gain(self) -> float:
        """The gain."""

    @property
    def low(self) -> float:
        """Lower end of its interval."""

    @property
    def high(self) -> float:
        """Upper end of its interval."""


def interval_text(comparison: Ranged | None) -> str:
    """A gain with its interval, or that there is none.

    Args:
        comparison: None where nothing was compared.

    Example:
        >>> from types import SimpleNamespace
        >>> interval_text(SimpleNamespace(gain=0.0801, low=0.07, high=0.09))
        '+.080 (+.070 to +.090)'
    """
    if comparison is None:
        return "none scored"
    low, high = signed(comparison.low), signed(comparison.high)
    return f"{signed(comparison.gain)} ({low} to {high})"


def grid(rows: Sequence[Sequence[str]], *, n_left: int = 1) -> list[str]:
    """A table of cells as lines of text, columns two spaces apart.

    Args:
        rows: The cells, a head among them if there is one; every row has as many.
        n_left: Number of columns that are aligned left; the others are aligned right.

    Example:
        >>> print(*grid([("engine", "per second"), ("fused", "10"), ("torch", "9")]), sep="\\n")
        engine  per second
        fused           10
        torch            9
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if column < n_left else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
