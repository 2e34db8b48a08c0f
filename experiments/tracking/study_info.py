"""What MLflow must know of a study before its first run, and where MLflow is."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from experiments.common.secrets import TRACKING, without_user_info
from experiments.config.printed_command import ui_command
from experiments.config.study import TrackingConfig
from experiments.study_folder.layout import StudyFolder
from experiments.study_folder.summary import DatasetRecord

LOCAL = "http://127.0.0.1:5000"
"""Where the UI listens unless it is told otherwise, `experiments.ui` and MLflow's own alike."""
WORKFLOW = "workflowType=machine_learning"
"""What the UI reads in an address; without it a first visit opens among traces and prompts. An
experiment's address with it is short enough for a line, a run's is not."""


@dataclass(frozen=True)
class StudyInfo:
    """What the tracker must know of a study.

    Args:
        uid: Names the study for ever, whatever its name is.
        name: Its name.
        experiment: The MLflow experiment.
        config: The resolved configuration, nested.
        dataset: Which data it sees.
        objective: The metric that it maximizes.
    """

    uid: str
    name: str
    experiment: str
    config: Mapping[str, Any]
    dataset: DatasetRecord
    objective: str


def study_info(
    uid: str,
    name: str,
    dataset: DatasetRecord,
    tracking: TrackingConfig,
    config: Mapping[str, Any],
    objective: str,
) -> StudyInfo:
    """What the tracker must know of a study; its experiment is the data set's unless named.

    Args:
        uid: Names the study for ever.
        name: Its name.
        dataset: Which data it sees.
        tracking: Names the experiment, or leaves it open.
        config: The resolved configuration, nested.
        objective: The metric that it maximizes.
    """
    experiment = tracking.experiment or dataset.name
    return StudyInfo(uid, name, experiment, config, dataset, objective)


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


def runs_page(experiment: str) -> str:
    """Where the runs of an experiment stand, the newest study's first, behind a server's address.

    Args:
        experiment: Its id.
    """
    return f"#/experiments/{experiment}/runs?{WORKFLOW}"


def review_text(config: TrackingConfig, folder: StudyFolder, page: str) -> str:
    """What is printed of `review_lines`: each stands on a line of its own, however long it is.

    Args:
        config: Where MLflow is.
        folder: Where the default store lies.
        page: As `review_lines` takes it.
    """
    return "\n".join(["review:", *(f"  {line}" for line in review_lines(config, folder, page))])


def review_lines(config: TrackingConfig, folder: StudyFolder, page: str) -> list[str]:
    """What opens the runs: their page on a server, or the command that serves a store first.

    Args:
        config: Where MLflow is.
        folder: Where the default store lies.
        page: Of the study, behind a server's address; "" where it is not known.
    """
    opened = _review_line(config, folder)
    served = opened.startswith(("python -m", "mlflow ui"))
    if opened.startswith(("http://", "https://")):
        return [f"{opened.rstrip('/')}/{page}" if page else opened]
    return [opened, f"{LOCAL}/{page}"] if page and served else [opened]


def _review_line(config: TrackingConfig, folder: StudyFolder) -> str:
    if folder.keeps_runs(config):
        return ui_command(folder.root)
    uri = tracking_uri(config) or folder.tracking_uri
    if uri.startswith(("http://", "https://")):
        return without_user_info(uri)
    if uri.startswith("databricks"):
        return f"the experiments of the workspace {uri}"
    secret = without_user_info(uri) != uri
    store = shlex.quote(without_user_info(uri))
    advice = ", with user and password in the URI" if secret else ""
    return f"mlflow ui --backend-store-uri {store}{advice}"
