"""How numbers, metric names and tables are written for people."""

from collections.abc import Mapping, Sequence
from typing import Any


def label(metric: str) -> str:
    """A metric's name as people write it, with its cutoff.

    Example:
        >>> label("ndcg_at_10"), label("mrr")
        ('NDCG@10', 'MRR')
    """
    return (
        metric.replace("_at_", "@")
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
    """
    return f"+{plain(value)}" if round(value, 3) > 0 else plain(value)


def interval_text(comparison: Mapping[str, Any] | None) -> str:
    """A gain with its interval, or that there is none.

    Args:
        comparison: Holds ``gain``, ``low`` and ``high``; None where nothing was compared.

    Example:
        >>> interval_text({"gain": 0.0801, "low": 0.07, "high": 0.09})
        '+.080 (+.070 to +.090)'
    """
    if comparison is None:
        return "none scored"
    low, high = signed(comparison["low"]), signed(comparison["high"])
    return f"{signed(comparison['gain'])} ({low} to {high})"


def p_text(p_value: float) -> str:
    """A p-value, not below what three decimals can tell.

    Example:
        >>> p_text(0.0002), p_text(0.25)
        ('< .001', '.250')
    """
    return "< .001" if p_value < 0.001 else plain(p_value)


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
