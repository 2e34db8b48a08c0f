"""The data set of a study as MLflow shows it: name, digest, schema, profile; never its rows.

This module imports MLflow: it is loaded when a run is made, not before.
"""

import json
from collections.abc import Mapping
from typing import Any

from mlflow.data.dataset_source_registry import get_dataset_source_from_json
from mlflow.data.meta_dataset import MetaDataset
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.types import ColSpec, DataType, Schema
from mlflow.types.schema import Array

from experiments.data.columns import columns
from experiments.study_folder.summary import DatasetRecord

CONTEXT = "tune"
LONGEST_DIGEST = 36

KINDS: dict[str, DataType | Array] = {
    "id": DataType.string,
    "text": DataType.string,
    "time": DataType.long,
    "flag": DataType.boolean,
    "number": DataType.double,
    "share": DataType.double,
    "position": DataType.long,
    "vector": Array(DataType.float),
}
"""Kind of a column → MLflow's type."""


class LoggedData(MetaDataset):
    """A data set of which MLflow gets the columns and the counts.

    Args:
        data: Which data the study sees; the beginning of its fingerprint is the digest.
        path: Where they lie.
    """

    def __init__(self, data: DatasetRecord, path: str) -> None:
        self._record = data
        source = get_dataset_source_from_json(json.dumps({"uri": path}), "local")
        digest = data.fingerprint[:LONGEST_DIGEST]
        super().__init__(source, name=data.name, digest=digest, schema=schema())

    @property
    def profile(self) -> dict[str, int]:
        """The counts; ``num_rows`` is the name that the UI reads: a row is a session."""
        sessions, users = self._record.n_sessions, self._record.n_users
        return {"num_rows": sessions, "n_sessions": sessions, "n_users": users}

    def to_dict(self) -> dict[str, str]:
        """All of it as texts."""
        told: dict[str, str] = super().to_dict()
        return {**told, "profile": json.dumps(self.profile)}


def schema() -> Schema:
    """The columns of the data set format, in the order of its tables."""
    return Schema(
        [
            ColSpec(KINDS[item.kind], name, required=item.required)
            for name, item in columns().items()
        ]
    )


def logged_data(data: DatasetRecord, config: Mapping[str, Any]) -> DatasetInput:
    """What is logged with the study's run.

    Args:
        data: Which data the study sees.
        config: The resolved configuration, nested: it says where the data lie.
    """
    path = config.get("dataset", {}).get("path") or f"data/{data.name}"
    shown = Dataset(**LoggedData(data, str(path)).to_dict())
    return DatasetInput(shown, [InputTag("mlflow.data.context", CONTEXT)])
