"""What MLflow must know of a study before its first run, and where MLflow is."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.common.secrets import TRACKING, without_user_info
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
    uri = tracking_uri(config)
    if uri is not None:
        return uri, None
    return folder.tracking_uri, (folder.artifacts / experiment).as_uri()


def tracking_uri(config: TrackingConfig) -> str | None:
    """The MLflow store or server with its secret; null is the one beside the studies.

    Raises:
        InputError: If it stands in an environment variable that is not set.
    """
    return TRACKING.read(config.uri, config.uri_env)


def review_line(config: TrackingConfig, folder: StudyFolder) -> str:
    """What opens the runs: a server's address, or the command that serves a store.

    Args:
        config: Where MLflow is.
        folder: Where the default store lies.
    """
    uri = tracking_uri(config) or folder.tracking_uri
    if uri.startswith(("http://", "https://")):
        return without_user_info(uri)
    if uri.startswith("databricks"):
        return f"the experiments of the workspace {uri}"
    secret = without_user_info(uri) != uri
    store = shlex.quote(without_user_info(uri))
    advice = ", with user and password in the URI" if secret else ""
    return f"mlflow ui --backend-store-uri {store}{advice}"
