"""What is kept of the finalists and of the sealed test, as files and the study's storage hold it.

A new fact about a finalist or a test is a new field here, with a default where files written
before it must stay readable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.judging.comparison import Comparison
from experiments.judging.evidence import Evidence
from experiments.judging.finalists import DEFAULTS, Finalist
from experiments.judging.openings import Opening
from experiments.judging.optimism import Optimism
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
        look: Which look at these data it was, from 1.
        openings: Every look at these data so far, this one included, oldest first.
        optimism: How much of the gain on tune was the luck of being chosen.
        tune: Gain over no adjustment on the tune sessions.
        evidence: All that the verdict looked at.
    """

    trial: int
    look: int
    openings: tuple[Opening, ...]
    optimism: Optimism
    tune: Comparison
    evidence: Evidence

    @property
    def test(self) -> Comparison:
        """Gain over no adjustment on the test."""
        return self.evidence.gain

    @property
    def test_over_defaults(self) -> Comparison | None:
        """Gain over the published defaults on the test; None where they are what was opened."""
        return next((x.lead for x in self.evidence.rivals if x.name == DEFAULTS), None)

    @property
    def bystanders(self) -> Comparison | None:
        """Change on withheld queries, on the test; None where none was scored."""
        return self.evidence.bystanders

    @property
    def metrics(self) -> Mapping[str, float]:
        """Metric → value on the test."""
        return self.evidence.metrics


@dataclass(frozen=True)
class SealedRecord:
    """What opening the sealed test left: the entries ``verdict`` and ``test``.

    Args:
        verdict: What to do, and why.
        test: The figures behind it.
    """

    verdict: Verdict
    test: TestRecord

    @property
    def adopted(self) -> int | None:
        """Number of the trial that the test adopts; None where it adopts nothing."""
        return self.test.trial if self.verdict.adopts else None

    @classmethod
    def of(cls, opened: SealedTest) -> "SealedRecord":
        """What is kept of an opened test: all but the sessions' rows."""
        return cls(
            verdict=opened.verdict,
            test=TestRecord(
                trial=opened.trial,
                look=opened.look.number,
                openings=opened.look.openings,
                optimism=opened.optimism,
                tune=opened.tune,
                evidence=opened.evidence,
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
