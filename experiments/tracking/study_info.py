"""What MLflow must know of a study before its first run, and where MLflow is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.config.study import TrackingConfig
from experiments.study_folder.layout import StudyFolder
from experiments.study_folder.summary import DatasetRecord


@dataclass(frozen=True)
class StudyInfo:
    """What the tracker must know of a study.

    Args:
        uid: Names the study for ever, whatever its name is.
        name: Its name.
        experiment: The MLflow experiment.
        config: The resolved configuration, nested.
        dataset: Which data it sees.
    """

    uid: str
    name: str
    experiment: str
    config: Mapping[str, Any]
    dataset: DatasetRecord


def study_info(
    uid: str,
    name: str,
    dataset: DatasetRecord,
    tracking: TrackingConfig,
    config: Mapping[str, Any],
) -> StudyInfo:
    """What the tracker must know of a study; its experiment is the data set's unless named.

    Args:
        uid: Names the study for ever.
        name: Its name.
        dataset: Which data it sees.
        tracking: Names the experiment, or leaves it open.
        config: The resolved configuration, nested.
    """
    return StudyInfo(uid, name, tracking.experiment or dataset.name, config, dataset)


def tracking_location(
    config: TrackingConfig, folder: StudyFolder, experiment: str
) -> tuple[str, str | None]:
    """The tracking URI, and where a new experiment's artifacts go; None lets the server choose.

    Args:
        config: What was asked for.
        folder: Where the default store lies.
        experiment: The MLflow experiment.
    """
    if config.uri is not None:
        return config.uri, None
    return folder.tracking_uri, (folder.artifacts / experiment).as_uri()
