"""How often a verdict adopts where there is nothing to gain, and where there is."""

from scipy.stats import binomtest

from experiments.benchmarks.known_truth import iter_studies
from experiments.benchmarks.parts import Measured
from experiments.common.wording import grid

N_LOGS = 40
MOST_FALSE = 0.05
"""Share of null logs on which a verdict may be ``adopt``."""

LEAST_TRUE = 0.9
"""Share of logs with a planted effect on which it must be."""


def measure() -> Measured:
    """Judge small studies on simulated logs, without an effect and with one.

    Returns:
        ``calibration.null.adopted`` and ``calibration.planted.adopted`` of
        ``calibration.<kind>.logs``, and the exact one-sided p-value of each against its bound:
        small is bad.
    """
    rows: list[tuple[str, ...]] = []
    figures: dict[str, float] = {}
    for kind, null in (("null", True), ("planted", False)):
        adopted = count_adopted(N_LOGS, null=null)
        p_value = bound_p_value(adopted, N_LOGS, null=null)
        figures |= {
            f"calibration.{kind}.logs": float(N_LOGS),
            f"calibration.{kind}.adopted": float(adopted),
            f"calibration.{kind}.p_value": p_value,
        }
        must = f"at most {MOST_FALSE:.0%}" if null else f"at least {LEAST_TRUE:.0%}"
        rows.append((kind, str(N_LOGS), str(adopted), must, f"{p_value:.3f}"))
    head = ("logs", "studies", "adopted", "must be", "exact p")
    return Measured(figures, "\n".join(grid([head, *rows])))


def count_adopted(n_logs: int, *, null: bool, seed: int = 0) -> int:
    """Of so many logs, those on which the verdict is ``adopt``."""
    return sum(opened.verdict.adopts for opened in iter_studies(n_logs, null=null, seed=seed))


def bound_p_value(adopted: int, n_logs: int, *, null: bool) -> float:
    """Exact binomial test of the count against its bound, one-sided toward breaking it.

    Example:
        >>> bound_p_value(5, 40, null=True) < 0.05 < bound_p_value(4, 40, null=True)
        True
    """
    if null:
        return float(binomtest(adopted, n_logs, MOST_FALSE, alternative="greater").pvalue)
    return float(binomtest(adopted, n_logs, LEAST_TRUE, alternative="less").pvalue)
