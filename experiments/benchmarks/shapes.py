"""The sessions that the adjusters are measured on."""

from collections.abc import Callable
from functools import partial

import numpy as np
import torch

from adjuster import ImprovementElement, ImprovementInput, SearchIndexInfo
from experiments.config.data import DatasetConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.open_dataset import open_dataset

N_SESSIONS, CLICKED_SHARE = 1024, 0.25

Sessions = list[ImprovementInput]
Maker = Callable[..., tuple[Sessions, SearchIndexInfo]]

UNIFORM: dict[str, tuple[int, int, int]] = {
    "1024x20x4x384": (20, 4, 384),
    "1024x20x1x1024": (20, 1, 1024),
}
"""Shape → objects shown, parts an object, dimensions."""

SHAPES: tuple[str, ...] = (*UNIFORM, "movielens")
"""What is measured; MovieLens is the prepared log, in order, with one shared set of vectors."""


def load_shape(shape: str) -> Maker:
    """Read what a shape needs; the result makes its first sessions, all of them by default."""
    if shape in UNIFORM:
        return partial(_uniform, *UNIFORM[shape])
    return partial(_from_log, open_dataset(DatasetConfig(name=shape)))


def _uniform(
    n_shown: int, n_parts: int, dimensions: int, n_sessions: int = N_SESSIONS
) -> tuple[Sessions, SearchIndexInfo]:
    """Random sessions, each of an owner of its own, a quarter of the results clicked.

    All vectors lie in one array, as a host that reads them in bulk has them, so that memory is
    given back whole.
    """
    rng = np.random.default_rng(0)
    n_clicked = int(CLICKED_SHARE * n_shown)
    vectors = rng.standard_normal((n_sessions, n_shown, n_parts, dimensions), dtype=np.float32)
    queries = rng.standard_normal((n_sessions, 1, dimensions), dtype=np.float32)

    def session(number: int) -> ImprovementInput:
        owner = f"user-{number}"
        shown = [
            ImprovementElement(f"object-{k}", torch.from_numpy(rows), user_id=owner)
            for k, rows in enumerate(vectors[number])
        ]
        query = ImprovementElement("query", torch.from_numpy(queries[number]), user_id=owner)
        return ImprovementInput(f"session-{number}", query, shown[:n_clicked], shown[n_clicked:])

    return [session(number) for number in range(n_sessions)], SearchIndexInfo(dimensions)


def _from_log(log: ClickLog, n_sessions: int | None = None) -> tuple[Sessions, SearchIndexInfo]:
    """The first sessions of a log; all read the originals, so they share objects."""
    objects = [
        ImprovementElement(str(name), torch.from_numpy(log.object_vectors[start:end]))
        for name, start, end in zip(
            log.object_ids, log.object_offsets[:-1], log.object_offsets[1:], strict=True
        )
    ]
    clicked = log.is_clicked

    def session(number: int) -> ImprovementInput:
        rows = range(*log.impression_offsets[number : number + 2])
        query = log.session_query[number]
        vector = log.query_vectors[slice(*log.query_offsets[query : query + 2])]
        return ImprovementInput(
            str(log.session_ids[number]),
            ImprovementElement(str(log.query_ids[query]), torch.from_numpy(vector)),
            [objects[log.impression_object[row]] for row in rows if clicked[row]],
            [objects[log.impression_object[row]] for row in rows if not clicked[row]],
        )

    count = log.n_sessions if n_sessions is None else min(n_sessions, log.n_sessions)
    return [session(number) for number in range(count)], log.index
