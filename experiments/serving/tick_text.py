"""What a tick did, for people."""

from datetime import UTC, datetime

from adjuster.live.learning.worker import TickReport
from experiments.common.wording import grid

MOST_FAILURES = 5


def tick_line(tick: int, report: TickReport) -> str:
    """A tick in one line; "" where there was nothing to do.

    Example:
        >>> from collections import Counter
        >>> tick_line(60, TickReport(Counter(selected=3), n_batches=1))
        '1970-01-01 00:01:00 tick: 3 selected in 1 batch'
        >>> tick_line(60, TickReport())
        ''
    """
    when = datetime.fromtimestamp(tick, UTC).strftime("%Y-%m-%d %H:%M:%S")
    if report.fault:
        return f"{when} tick: {report.fault}"
    if not report.n_batches:
        return ""
    counts = ", ".join(f"{n:,} {reason}" for reason, n in sorted(report.counts.items()))
    noun = "batch" if report.n_batches == 1 else "batches"
    return f"{when} tick: {counts} in {report.n_batches:,} {noun}"


def once_text(report: TickReport) -> str:
    """A single tick's report as a table."""
    if report.fault:
        return report.fault
    rows = [("sessions", ""), *((reason, f"{n:,}") for reason, n in sorted(report.counts.items()))]
    lines = grid(rows) if report.counts else ["Nothing was pending."]
    if report.is_held:
        lines.append("Another worker was at work; what it holds was left to it.")
    failures = list(report.failures.items())
    lines += [f"failed: {name}: {why}" for name, why in failures[:MOST_FAILURES]]
    if len(failures) > MOST_FAILURES:
        lines.append(f"and {len(failures) - MOST_FAILURES:,} more")
    return "\n".join(lines)
