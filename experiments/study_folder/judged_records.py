"""What is kept of the finalists and of the sealed test, as files and the study's storage hold it.

A new fact about a finalist or a test is a new field here, with a default where files written
before it must stay readable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.judging.comparison import Comparison
from experiments.judging.finalists import Finalist
from experiments.judging.sealed_test import SealedTest
from experiments.judging.verdict import Verdict
from experiments.replay.settings import Settings
from experiments.study_folder.plain_data import from_plain, to_plain


@dataclass(frozen=True)
class FinalistRecord:
    """A finalist as ``finalists.json`` holds it.

    Args:
        trial: Number of the trial.
        settings: What it tried.
        metrics: Metric → value on the tune sessions.
        gain: Against no adjustment.
        gain_over_defaults: Against the published defaults.
        bystanders: Its change on withheld queries; None where none was scored.
    """

    trial: int
    settings: Settings
    metrics: Mapping[str, float]
    gain: Comparison
    gain_over_defaults: Comparison
    bystanders: Comparison | None

    @classmethod
    def of(cls, finalist: Finalist) -> "FinalistRecord":
        """What is kept of a finalist: all but its sessions' rows."""
        return cls(
            trial=finalist.trial,
            settings=finalist.settings,
            metrics=dict(finalist.result.metrics),
            gain=finalist.gain,
            gain_over_defaults=finalist.gain_over_defaults,
            bystanders=finalist.bystanders,
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain data."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, data: Any, name: str = "") -> "FinalistRecord":
        """The record that `to_dict` wrote.

        Raises:
            ValueError: Naming the first value that cannot be read.
        """
        return from_plain(cls, data, name)


@dataclass(frozen=True)
class TestRecord:
    """The figures of the sealed test: the entry ``test`` of ``summary.json``.

    Args:
        trial: Number of the trial that it was opened on.
        openings: The trials that it was opened on so far, this one included.
        optimism: Gain on tune minus gain on the test.
        tune: Gain over no adjustment on the tune sessions.
        test: Gain over no adjustment on the test.
        test_over_defaults: Gain over the published defaults on the test.
        bystanders: Change on withheld queries, on the test; None where none was scored.
        metrics: Metric → value on the test.
    """

    trial: int
    openings: tuple[int, ...]
    optimism: float
    tune: Comparison
    test: Comparison
    test_over_defaults: Comparison
    bystanders: Comparison | None
    metrics: Mapping[str, float]


@dataclass(frozen=True)
class SealedRecord:
    """What opening the sealed test left: the entries ``verdict`` and ``test``.

    Args:
        verdict: What to do, and why.
        test: The figures behind it.
    """

    verdict: Verdict
    test: TestRecord

    @classmethod
    def of(cls, opened: SealedTest) -> "SealedRecord":
        """What is kept of an opened test: all but the sessions' rows."""
        return cls(
            verdict=opened.verdict,
            test=TestRecord(
                trial=opened.trial,
                openings=opened.openings,
                optimism=opened.optimism,
                tune=opened.tune,
                test=opened.test,
                test_over_defaults=opened.test_over_defaults,
                bystanders=opened.bystanders,
                metrics=dict(opened.test_result.metrics),
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """As plain data, by ``verdict`` and ``test``."""
        return to_plain(self)

    @classmethod
    def from_dict(cls, data: Any, name: str = "") -> "SealedRecord":
        """The record that `to_dict` wrote.

        Raises:
            ValueError: Naming the first value that cannot be read.
        """
        return from_plain(cls, data, name)
