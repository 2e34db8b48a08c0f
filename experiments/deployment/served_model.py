"""The model in MLflow's registry: an adjuster as a pyfunc, defined by this file, not by a pickle.

MLflow stores the file itself, the package `adjuster` and ``best.json`` with the model, so it loads
without a checkout. Nothing of `experiments` may be imported here.

A row of the input is a session: ``session_id``; ``query``, a list of parts; ``object_ids``, the
objects shown, each once; ``clicked``, a flag an object; ``vectors``, an object's list of parts. A
``user_id`` says whose copies the vectors are, ``originals`` are the index's own vectors where
`vectors` were adjusted before. The answer has the rows' ``session_id``, ``object_ids`` and the
adjusted ``vectors``; numbers are computed in double precision.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pandas as pd
from mlflow.pyfunc.model import PythonModel
from numpy.typing import NDArray

from adjuster import (
    AdjusterConfig,
    ImprovementElement,
    ImprovementInput,
    SearchIndexInfo,
    VectorsAdjuster,
)
from adjuster.adjusters.by_config import adjuster_for


class ServedAdjuster(PythonModel):
    """Adjusts the vectors of sessions with the settings of ``best.json``."""

    adjuster: VectorsAdjuster

    def load_context(self, context: Any) -> None:
        """Build the adjuster; called once by MLflow."""
        chosen = json.loads(Path(context.artifacts["best"]).read_text(encoding="utf-8"))
        index = SearchIndexInfo(**chosen["index"])
        self.adjuster = adjuster_for(index, AdjusterConfig(**chosen["adjuster"]))

    def predict(self, context: Any, model_input: pd.DataFrame, params: Any = None) -> pd.DataFrame:
        """Adjust together all sessions handed over; see the module for the columns.

        Args:
            context: MLflow's; not used.
            model_input: The sessions; MLflow makes a frame of a list of dictionaries.
            params: Not used.

        Raises:
            ValueError: Naming the session and what in it cannot be used.
        """
        rows = model_input.to_dict(orient="records")
        adjusted = self.adjuster.adjust_vectors([read_session(row) for row in rows])
        return pd.DataFrame(
            {
                "session_id": [row["session_id"] for row in rows],
                "object_ids": [list(row["object_ids"]) for row in rows],
                "vectors": [
                    vectors_of(row, session) for row, session in zip(rows, adjusted, strict=True)
                ],
            }
        )


def read_session(row: Mapping[Any, Any]) -> ImprovementInput:
    """A row as the adjuster takes it.

    Raises:
        ValueError: If the row's lists do not have one entry an object.
    """
    names, flags, vectors = row["object_ids"], row["clicked"], row["vectors"]
    originals = row["originals"] if _has(row, "originals") else [None] * len(names)
    if not len(names) == len(flags) == len(vectors) == len(originals):
        raise ValueError(
            f"session {row['session_id']!r}: object_ids, clicked, vectors and originals must have "
            f"one entry an object, got {len(names)}, {len(flags)}, {len(vectors)} and "
            f"{len(originals)}."
        )
    owner = str(row["user_id"]) if _has(row, "user_id") else None
    elements = [
        ImprovementElement(
            id=str(name),
            vector=to_rows(vector),
            user_id=owner,
            original=None if original is None else to_rows(original),
        )
        for name, vector, original in zip(names, vectors, originals, strict=True)
    ]
    return ImprovementInput(
        session_id=str(row["session_id"]),
        query=ImprovementElement("query", to_rows(row["query"])),
        clicked_elements=[mine for mine, flag in zip(elements, flags, strict=True) if flag],
        non_clicked_elements=[mine for mine, flag in zip(elements, flags, strict=True) if not flag],
    )


def vectors_of(row: Mapping[Any, Any], session: ImprovementInput) -> list[list[list[float]]]:
    """A session's new vectors, in the order in which the row names its objects."""
    found = {
        element.id: element.vector.tolist()
        for element in (*session.clicked_elements, *session.non_clicked_elements)
    }
    return [found[str(name)] for name in row["object_ids"]]


def to_rows(parts: Sequence[Any]) -> NDArray[np.float64]:
    """A list of parts as an array, shape ``(parts, D)``."""
    return np.array([np.asarray(part, np.float64) for part in parts])


def _has(row: Mapping[Any, Any], column: str) -> bool:
    """Whether an optional column has a value here; pandas fills in NaN where it has none."""
    value = row.get(column)
    return value is not None and not (isinstance(value, float) and np.isnan(value))


mlflow.models.set_model(ServedAdjuster())
