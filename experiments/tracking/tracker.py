"""MLflow: a run for each study, nested in it one for each trial and each baseline.

Runs are made from what the study keeps, and found again by their tags: what a dead process or
server did not deliver is delivered later, and nothing twice.
"""

from collections.abc import Sequence
from typing import Protocol

from experiments.common.secrets import without_user_info
from experiments.config.study import TrackingConfig
from experiments.study.records import BaselineRecord, TrialRecord
from experiments.study_folder.layout import StudyFolder
from experiments.study_folder.summary import Summary
from experiments.tracking.courier import Courier
from experiments.tracking.run_content import Conclusion
from experiments.tracking.runs import ClaimLock, MlflowRuns
from experiments.tracking.study_info import StudyInfo, tracking_location
from experiments.tracking.trouble import reason_of


class Tracker(Protocol):
    """Where finished trials are shown."""

    @property
    def page(self) -> str:
        """The study's page, behind the address of its server; "" where there is none yet."""

    def start(self, records: Sequence[TrialRecord], baselines: Sequence[BaselineRecord]) -> None:
        """Bring the tracked runs up to the study."""

    def trial(self, record: TrialRecord) -> None:
        """Show a finished trial."""

    def finish(self, records: Sequence[TrialRecord], summary: Summary) -> str:
        """Bring the runs up to the study and close it; what went wrong in words, or ""."""


class NoTracker:
    """Tracks nothing."""

    page = ""

    def start(self, records: Sequence[TrialRecord], baselines: Sequence[BaselineRecord]) -> None:
        """Nothing to do."""

    def trial(self, record: TrialRecord) -> None:
        """Nothing to do."""

    def finish(self, records: Sequence[TrialRecord], summary: Summary) -> str:
        """Nothing to say."""
        return ""


class MlflowTracker:
    """Delivers to MLflow in the background.

    Args:
        uri: The tracking server or store.
        artifact_location: For a new experiment; None lets the server choose.
        info: The study.
        lock: Where several machines deliver one study: no other one does while it lasts.
    """

    def __init__(
        self,
        uri: str,
        artifact_location: str | None,
        info: StudyInfo,
        lock: ClaimLock | None = None,
    ) -> None:
        self._runs = MlflowRuns(uri, artifact_location, info, lock)
        self._courier = Courier()
        self._uri = uri

    @property
    def page(self) -> str:
        """The study's page, behind the address of its server; "" where there is none yet."""
        return self._runs.page

    def start(self, records: Sequence[TrialRecord], baselines: Sequence[BaselineRecord]) -> None:
        """Deliver what is missing."""
        finished = _finished(records)
        self._courier.send(lambda: self._runs.open(finished, list(baselines)))

    def trial(self, record: TrialRecord) -> None:
        """Deliver a finished trial."""
        self._courier.send(lambda: self._runs.deliver_trial(record))

    def finish(self, records: Sequence[TrialRecord], summary: Summary) -> str:
        """Deliver what is still missing and close the study's run."""
        finished = _finished(records)
        self._courier.send(lambda: self._runs.close(finished, summary))
        self._courier.close()
        if self._courier.error is None:
            return ""
        reason = reason_of(self._courier.error)
        return (
            f"MLflow at {without_user_info(self._uri)} could not be written: {reason}. "
            "No trial is lost: the study holds them all, and the same command delivers what is "
            "missing."
        )


def open_tracker(
    config: TrackingConfig, folder: StudyFolder, info: StudyInfo, lock: ClaimLock | None = None
) -> Tracker:
    """The tracker that the configuration asks for.

    Args:
        config: Which one, and where.
        folder: Where the default store lies.
        info: The study.
        lock: Where several machines deliver one study: no other one does while it lasts.
    """
    if config.name == "none":
        return NoTracker()
    return MlflowTracker(*tracking_location(config, folder, info.experiment), info, lock)


def track_conclusion(
    config: TrackingConfig, folder: StudyFolder, info: StudyInfo, conclusion: Conclusion
) -> str:
    """Show the end of a study in MLflow, at once; what went wrong in words, or "".

    Args:
        config: Where MLflow is, if anywhere.
        folder: Where the default store lies.
        info: The study.
        conclusion: What to show.
    """
    if config.name == "none":
        return ""
    uri, artifact_location = tracking_location(config, folder, info.experiment)
    try:
        MlflowRuns(uri, artifact_location, info).deliver_conclusion(conclusion)
    except Exception as error:
        return (
            f"MLflow at {without_user_info(uri)} could not be written: {reason_of(error)}. "
            "The files above hold everything."
        )
    return ""


def _finished(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [record for record in records if record.outcome is not None or record.lost]
