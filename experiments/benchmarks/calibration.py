"""Part ``calibration``: how often the verdict is wrong, over logs whose right verdict is known.

Every log goes the way that a user's goes: ``sweep`` over the default search space with the
default rules of choice, then ``export``, which opens the sealed test; what counts is the verdict
in ``summary.json``. Wrong is a verdict that is none of its kind's right ones: ``adopt`` where
there is nothing to gain, ``keep off`` where there is. A study none of whose trials keeps the
guardrails has no finalist to open the test on, and says nothing.

The bound is Clopper and Pearson's exact upper end: a share of wrong verdicts above it would show
so few of them less than once in twenty times (*Biometrika* 26, 1934). No normal approximation
holds for a handful of wrong ones among twenty. One kind's 20 logs bound its share at .139 at
best; the rows over all kinds are what tells of small shares.
"""

import sys
from collections.abc import Iterator, Sequence

from scipy.stats import beta

from experiments.benchmarks.known_truth import NO_FINALIST, Answer, answers
from experiments.benchmarks.parts import Measured
from experiments.common.errors import InputError
from experiments.common.wording import grid, plain
from experiments.data.made.kinds import ADOPT, CANNOT_TELL, KEEP_OFF, KINDS, Kind

DECISIONS = (ADOPT, KEEP_OFF, CANNOT_TELL, NO_FINALIST)
HEAD = ("kind of log", "logs", *DECISIONS, "wrong", "at most")
SURENESS = 0.95

FIRST_SEED = 2000
"""Of the first log of each kind: kinds were sized, and faults found, on logs of smaller seeds."""


def measure(n_logs: int = 20, words: Sequence[str] = ()) -> Measured:
    """Let the commands judge logs of each kind.

    Args:
        n_logs: Logs of each kind, >= 1.
        words: Only kinds whose name holds one of these; empty for all.

    Returns:
        ``calibration.<kind>.<figure>`` for each kind, with ``all_traps`` and ``all_effects``:
        ``logs``, ``adopt``, ``keep_off``, ``cannot_tell``, ``no_finalist``, ``wrong`` and
        ``wrong_at_most``.

    Raises:
        InputError: If there are no logs to make.
    """
    if n_logs < 1:
        raise InputError(f"--logs must be >= 1, got {n_logs}.")
    kinds = [kind for kind in KINDS if not words or any(word in kind.name for word in words)]
    if not kinds:
        names = ", ".join(kind.name for kind in KINDS)
        raise InputError(f"--kind must be part of a name of {names}; got {', '.join(words)}.")
    found = answers(kinds, n_logs, seed=FIRST_SEED)
    return measured(list(_told(found, n_logs * len(kinds))))


def measured(found: Sequence[Answer]) -> Measured:
    """Figures and table of what the commands said, kinds in the catalogue's order.

    Args:
        found: Answers, at least one.
    """
    groups = {kind.name: [item for item in found if item.kind.name == kind.name] for kind in KINDS}
    groups["all traps"] = [item for item in found if item.kind.is_null]
    groups["all effects"] = [item for item in found if is_effect(item.kind)]
    counts = {name: count(group) for name, group in groups.items() if group}
    figures = {
        f"calibration.{_key(name)}.{_key(figure)}": value
        for name, figures in counts.items()
        for figure, value in figures.items()
    }
    rows = [(name, *map(_cell, figures.values())) for name, figures in counts.items()]
    return Measured(figures, "\n".join(grid([HEAD, *rows])))


def _told(found: Iterator[Answer], n: int) -> Iterator[Answer]:
    """Answers as they come, each with a line on stderr: all of them take an hour."""
    for number, item in enumerate(found, start=1):
        mark = ", wrong" if item.is_wrong else ""
        line = f"{number} of {n}: {item.kind.name}, seed {item.seed}: {item.decision}{mark}"
        print(line, file=sys.stderr, flush=True)
        yield item


def is_effect(kind: Kind) -> bool:
    """Whether a gain is planted that ``keep off`` would miss."""
    return KEEP_OFF not in kind.right


def count(found: Sequence[Answer]) -> dict[str, float]:
    """What was said of some logs: each decision's count, the wrong ones, and their bound.

    Args:
        found: At least one.
    """
    wrong = sum(item.is_wrong for item in found)
    return {
        "logs": len(found),
        **{name: sum(item.decision == name for item in found) for name in DECISIONS},
        "wrong": wrong,
        "wrong at most": largest_share(wrong, len(found)),
    }


def largest_share(wrong: int, n: int) -> float:
    """The exact upper 95 % end of a share, from a count.

    Args:
        wrong: How many were wrong, up to `n`.
        n: Of how many, >= 1.

    Example:
        >>> round(largest_share(0, 20), 3), round(largest_share(1, 20), 3), largest_share(20, 20)
        (0.139, 0.216, 1.0)
    """
    return 1.0 if wrong == n else float(beta.ppf(SURENESS, wrong + 1, n - wrong))


def _key(name: str) -> str:
    """A name as it stands between the dots of a figure's key."""
    return "_".join(name.replace(",", "").replace(".", "_").replace("-", " ").split())


def _cell(value: float) -> str:
    return plain(value) if isinstance(value, float) else str(value)
