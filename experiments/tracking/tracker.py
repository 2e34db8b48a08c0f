"""MLflow: one run a study, nested in it one a trial and one a baseline.

Runs are made from what the study keeps, and found again by their tags: what a dead process or
server did not deliver is delivered later, and nothing twice.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from experiments.config.study import TrackingConfig
from experiments.study.records import BaselineRecord, TrialRecord
from experiments.study_folder.layout import Outputs
from experiments.tracking.courier import Courier
from experiments.tracking.run_content import Evidence
from experiments.tracking.runs import Alone, MlflowRuns, StudyInfo


class Tracker(Protocol):
    """Where finished trials are shown."""

    def start(self, records: Sequence[TrialRecord], baselines: Sequence[BaselineRecord]) -> None:
        """Bring the tracked runs up to the study."""

    def trial(self, record: TrialRecord) -> None:
        """Show a finished trial."""

    def finish(self, records: Sequence[TrialRecord], summary: Mapping[str, Any]) -> str:
        """Bring the runs up to the study and close it; what went wrong in words, or ""."""


class NoTracker:
    """Tracks nothing."""

    def start(self, records: Sequence[TrialRecord], baselines: Sequence[BaselineRecord]) -> None:
        """Nothing to do."""

    def trial(self, record: TrialRecord) -> None:
        """Nothing to do."""

    def finish(self, records: Sequence[TrialRecord], summary: Mapping[str, Any]) -> str:
        """Nothing to say."""
        return ""


class MlflowTracker:
    """Delivers to MLflow in the background.

    Args:
        uri: The tracking server or store.
        artifact_location: For a new experiment; None lets the server choose.
        info: The study.
        alone: Where several machines deliver one study: no other one does while it lasts.
    """

    def __init__(
        self,
        uri: str,
        artifact_location: str | None,
        info: StudyInfo,
        alone: Alone | None = None,
    ) -> None:
        self._runs = MlflowRuns(uri, artifact_location, info, alone)
        self._courier = Courier()
        self._uri = uri

    def start(self, records: Sequence[TrialRecord], baselines: Sequence[BaselineRecord]) -> None:
        """Deliver what is missing."""
        finished = _finished(records)
        self._courier.send(lambda: self._runs.open(finished, list(baselines)))

    def trial(self, record: TrialRecord) -> None:
        """Deliver a finished trial."""
        self._courier.send(lambda: self._runs.deliver_trial(record))

    def finish(self, records: Sequence[TrialRecord], summary: Mapping[str, Any]) -> str:
        """Deliver what is still missing and close the study's run."""
        finished = _finished(records)
        self._courier.send(lambda: self._runs.close(finished, summary))
        self._courier.close()
        if self._courier.error is None:
            return ""
        reason = " ".join(str(self._courier.error).split())[:300]
        return (
            f"MLflow at {self._uri} could not be written: {reason}. No trial is lost: the study "
            "holds them all, and the same command delivers what is missing."
        )


def open_tracker(
    config: TrackingConfig, outputs: Outputs, info: StudyInfo, alone: Alone | None = None
) -> Tracker:
    """The tracker that the configuration asks for.

    Args:
        config: Which one, and where.
        outputs: Where the default store lies.
        info: The study.
        alone: Where several machines deliver one study: no other one does while it lasts.
    """
    if config.name == "none":
        return NoTracker()
    return MlflowTracker(*place_of(config, outputs, info), info, alone)


def track_evidence(
    config: TrackingConfig, outputs: Outputs, info: StudyInfo, evidence: Evidence
) -> str:
    """Show the end of a study in MLflow, at once; what went wrong in words, or "".

    Args:
        config: Where, if anywhere.
        outputs: Where the default store lies.
        info: The study.
        evidence: What to show.
    """
    if config.name == "none":
        return ""
    uri, artifact_location = place_of(config, outputs, info)
    try:
        MlflowRuns(uri, artifact_location, info).deliver_evidence(evidence)
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        return f"MLflow at {uri} could not be written: {reason}. The files above hold everything."
    return ""


def place_of(config: TrackingConfig, outputs: Outputs, info: StudyInfo) -> tuple[str, str | None]:
    """The tracking URI, and where a new experiment's artifacts go; None lets the server choose.

    Args:
        config: What was asked for.
        outputs: Where the default store lies.
        info: The study.
    """
    if config.uri is not None:
        return config.uri, None
    return outputs.tracking_uri, (outputs.artifacts / info.experiment).as_uri()


def _finished(records: Sequence[TrialRecord]) -> list[TrialRecord]:
    return [record for record in records if record.outcome is not None or record.lost]
