"""The best configuration in MLflow's model registry, under the alias ``champion``."""

import hashlib
import os
import re
import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import adjuster
from experiments.common.secrets import without_user_info
from experiments.config.study import TrackingConfig
from experiments.deployment.deployment import Deployment, json_text
from experiments.study_folder.best_yaml import Provenance
from experiments.study_folder.layout import StudyFolder
from experiments.tracking.runs import PARENT
from experiments.tracking.study_info import StudyInfo, tracking_location
from experiments.tracking.trouble import reason_of

if TYPE_CHECKING:
    from mlflow.models import ModelSignature
    from mlflow.tracking import MlflowClient

ALIAS = "champion"
ARTIFACT = "champion"
DESCRIPTION = (
    "Moves the vectors of clicked objects toward the query, those of unclicked ones away from it. "
    f"`{ALIAS}` is the configuration that was exported last. A row of the input is a session; "
    "the answer has its objects' adjusted vectors. Each version says what the sealed test of its "
    "study said."
)
NEEDED = ("mlflow", "numpy", "numba", "pandas", "torch")
CODE = Path(adjuster.__file__).parent
MODEL = Path(__file__).with_name("served_model.py")


def register_champion(
    config: TrackingConfig, folder: StudyFolder, info: StudyInfo, deployment: Deployment
) -> tuple[str, str]:
    """Register a configuration as a model, and make it the champion; at most once the same one.

    The model's name is that of the MLflow experiment, so that studies of one data set share it
    and the champion is the one that was exported last.

    Args:
        config: Where MLflow is, if anywhere.
        folder: Where the default store lies.
        info: The study, whose run must be there.
        deployment: What to register.

    Returns:
        The model's address or "", and what went wrong in words or "".
    """
    if config.name == "none":
        return "", ""
    uri, _ = tracking_location(config, folder, info.experiment)
    try:
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        return _register(client, info, deployment), ""
    except Exception as error:
        place, reason = without_user_info(uri), reason_of(error)
        return "", f"The model could not be registered in MLflow at {place}: {reason}."


def model_name(experiment: str) -> str:
    """The registered model's name: the experiment's, without what the registry forbids.

    Example:
        >>> model_name("shop: a/b")
        'shop- a-b'
    """
    return re.sub(r"[/:]", "-", experiment)


def save_model(folder: Path, deployment: Deployment) -> None:
    """Write the model's folder: its source, the package `adjuster` and ``best.json``.

    Args:
        folder: Where; must not exist.
        deployment: What it computes.
    """
    # Its bars would stand between the lines of the command that asked for the model.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    from mlflow.pyfunc import save_model as save

    with tempfile.TemporaryDirectory() as work:
        best = Path(work) / "best.json"
        best.write_text(json_text(deployment), encoding="utf-8")
        save(
            str(folder),
            # A copy, as the model remembers the path that its source came from.
            python_model=str(shutil.copy(MODEL, work)),
            artifacts={"best": str(best)},
            code_paths=[str(CODE)],
            signature=signature(),
            input_example=example(deployment.index.dimensions),
            # The build of a library ("+cpu") is the machine's, not the model's.
            pip_requirements=[f"{name}=={version(name).split('+')[0]}" for name in NEEDED],
        )


def signature() -> "ModelSignature":
    """The columns of a session, as `experiments.deployment.served_model` tells them."""
    from mlflow.models import ModelSignature
    from mlflow.types import ColSpec, DataType, Schema
    from mlflow.types.schema import Array

    vector = Array(DataType.double)
    parts, objects = Array(vector), Array(Array(vector))
    names = ColSpec(Array(DataType.string), "object_ids")
    session = ColSpec(DataType.string, "session_id")
    return ModelSignature(
        inputs=Schema(
            [
                session,
                ColSpec(parts, "query"),
                names,
                ColSpec(Array(DataType.boolean), "clicked"),
                ColSpec(objects, "vectors"),
                ColSpec(DataType.string, "user_id", required=False),
                ColSpec(objects, "originals", required=False),
            ]
        ),
        outputs=Schema([session, names, ColSpec(objects, "vectors")]),
    )


def example(dimensions: int) -> list[dict[str, Any]]:
    """A session as the model takes it: of two objects shown the first was clicked.

    Args:
        dimensions: Of the index's vectors, at least 1.
    """
    first = [1.0, *[0.0] * (dimensions - 1)]
    last = [*[0.0] * (dimensions - 1), 1.0]
    return [
        {
            "session_id": "a search",
            "query": [first],
            "object_ids": ["clicked", "passed over"],
            "clicked": [True, False],
            "vectors": [[last], [first]],
            "user_id": "a user",
            "originals": [[last], [first]],
        }
    ]


def _register(client: "MlflowClient", info: StudyInfo, deployment: Deployment) -> str:
    name, digest = model_name(info.experiment), _digest(deployment)
    number = _known_version(client, name, digest) or _new_version(
        client, name, info, deployment, digest
    )
    client.set_registered_model_alias(name, ALIAS, number)
    return f"models:/{name}@{ALIAS}"


def _known_version(client: "MlflowClient", name: str, digest: str) -> str | None:
    """The version that holds this very model, if there is one."""
    found = client.search_model_versions(f"tags.digest = '{digest}'")
    return next((str(item.version) for item in found if item.name == name), None)


def _new_version(
    client: "MlflowClient", name: str, info: StudyInfo, deployment: Deployment, digest: str
) -> str:
    run_id = _study_run(client, info)
    sealed = deployment.provenance.sealed
    artifact = f"{ARTIFACT}-{digest[:12]}"
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work) / "model"
        save_model(folder, deployment)
        client.log_artifacts(run_id, str(folder), artifact)
    _make_model(client, info, name)
    made = client.create_model_version(
        name,
        f"{client.get_run(run_id).info.artifact_uri}/{artifact}",
        run_id=run_id,
        tags={"digest": digest, **_tags(info, deployment.provenance)},
        description="\n\n".join([*([sealed.verdict.sentence] if sealed else []), deployment.what]),
    )
    return str(made.version)


def _study_run(client: "MlflowClient", info: StudyInfo) -> str:
    experiment = client.get_experiment_by_name(info.experiment)
    query = f"tags.`study.uid` = '{info.uid}' and tags.`study.key` = '{PARENT}'"
    runs = [] if experiment is None else client.search_runs([experiment.experiment_id], query)
    if not runs:
        raise LookupError(f"the run of study {info.name} is not there")
    return str(runs[0].info.run_id)


def _make_model(client: "MlflowClient", info: StudyInfo, name: str) -> None:
    from mlflow.exceptions import MlflowException

    data = {"dataset.name": info.dataset.name, "objective": info.objective}
    try:
        client.create_registered_model(name, tags=data, description=DESCRIPTION)
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise


def _tags(info: StudyInfo, provenance: Provenance) -> dict[str, str]:
    sealed = provenance.sealed
    return {
        "study": info.name,
        "study.uid": info.uid,
        "trial": str(provenance.trial),
        **({"verdict": sealed.verdict.decision} if sealed else {}),
        "dataset.fingerprint": provenance.dataset.fingerprint,
    }


def _digest(deployment: Deployment) -> str:
    """SHA-256 of all that the model consists of."""
    sources = [MODEL, *sorted(CODE.rglob("*.py"))]
    parts = [json_text(deployment).encode(), *(source.read_bytes() for source in sources)]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()
