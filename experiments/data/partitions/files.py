"""The folder of a partitioned log: its files, their columns, and what `partitions.json` says.

Sessions stand in their canonical order in `sessions.parquet`. What they show and the events on
it are cut twice: by time into *shards* of whole sessions, and by owner or object into *pair
parts*, each of which holds all showings of its (user, object) pairs.
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from experiments.common.errors import InputError
from experiments.common.files import write_json

MANIFEST = "partitions.json"
SESSIONS, USERS, SEGMENTS = "sessions.parquet", "users.parquet", "segments.parquet"
FORMAT = 1

SESSION_COLUMNS = pa.schema(
    [
        ("session_id", pa.large_string()),
        ("user", pa.int32()),
        ("segment", pa.int32()),
        ("query", pa.int32()),
        ("created_at", pa.int64()),
        ("is_irrelevant", pa.bool_()),
        ("n_shown", pa.int32()),
        ("top_click", pa.int32()),
    ]
)
SHOWN_COLUMNS = pa.schema(
    [
        ("object", pa.int32()),
        ("position", pa.int32()),
        ("relevance", pa.float32()),
        ("propensity", pa.float32()),
    ]
)
EVENT_COLUMNS = pa.schema(
    [
        ("impression", pa.int64()),
        ("at", pa.int64()),
        ("id", pa.large_string()),
        ("type", pa.large_string()),
    ]
)
PAIR_COLUMNS = pa.schema(
    [
        ("impression", pa.int64()),
        ("session", pa.int32()),
        ("object", pa.int32()),
        ("click_at", pa.int64()),
    ]
)


@dataclass(frozen=True)
class Manifest:
    """What `partitions.json` says.

    Args:
        by: What the pair parts are cut by: ``user`` or ``object``.
        fingerprint: Of the log's content, the same as of the folder that it was made of.
        shard_bounds: Session at which each shard starts, and the number of sessions.
        slices: Pair part → rows of it that are of each shard.
        format: Of the folder.
    """

    by: str
    fingerprint: str
    shard_bounds: list[int]
    slices: list[list[int]]
    format: int = FORMAT

    @property
    def n_parts(self) -> int:
        """How many pair parts there are."""
        return len(self.slices)

    @property
    def n_shards(self) -> int:
        """How many shards there are."""
        return len(self.shard_bounds) - 1

    def part_offsets(self, part: int) -> NDArray[np.int64]:
        """Row of a pair part at which each shard's rows start, shape ``(n_shards + 1,)``."""
        return np.concatenate([[0], np.cumsum(self.slices[part])]).astype(np.int64)

    def write(self, folder: Path) -> None:
        """Write it, whole or not at all."""
        write_json(folder / MANIFEST, asdict(self))


def read_manifest(folder: Path) -> Manifest:
    """What a partitioned log's `partitions.json` says.

    Raises:
        InputError: If there is none, or it says what it cannot say.
    """
    path = folder / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest(**content)
    except FileNotFoundError:
        raise InputError(
            f"dataset.path must be a log in partitions, got {str(folder)!r}, which has no "
            f"{MANIFEST}. Make one with `python -m experiments.partition dataset.path=… "
            "output=…`."
        ) from None
    except (ValueError, TypeError, OSError) as error:
        raise InputError(f"{path} cannot be read: {' '.join(str(error).split())}") from None
    if not _is_whole(manifest):
        raise InputError(
            f"{path} does not say what a log in partitions of format {FORMAT} must say. Make it "
            "anew with `python -m experiments.partition`."
        )
    return manifest


def _is_whole(manifest: Manifest) -> bool:
    bounds, slices = manifest.shard_bounds, manifest.slices
    return (
        manifest.format == FORMAT
        and manifest.by in ("user", "object")
        and isinstance(manifest.fingerprint, str)
        and _are_counts(bounds)
        and len(bounds) > 1
        and bounds == sorted(bounds)
        and isinstance(slices, list)
        and bool(slices)
        and all(_are_counts(row) and len(row) == len(bounds) - 1 for row in slices)
    )


def _are_counts(values: Any) -> bool:
    return isinstance(values, list) and all(type(n) is int and n >= 0 for n in values)


def shown_file(folder: Path, shard: int) -> Path:
    """What the sessions of a shard show."""
    return folder / "shards" / f"{shard:05d}.shown.parquet"


def event_file(folder: Path, shard: int) -> Path:
    """The events of a shard."""
    return folder / "shards" / f"{shard:05d}.events.parquet"


def pair_file(folder: Path, part: int) -> Path:
    """The showings of a pair part."""
    return folder / "pairs" / f"{part:05d}.parquet"
