"""Propensities by position that somebody else measured: read from a file and checked."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from experiments.common.errors import InputError

COLUMNS = ("position", "propensity")


def read_propensities(path: str | Path, n_positions: int) -> NDArray[np.float64]:
    """Read the propensity of each position.

    Args:
        path: A CSV (with a header) or Parquet file with the columns ``position`` (from 0) and
            ``propensity``; or JSON, an object such as ``{"0": 1.0, "1": 0.6}``.
        n_positions: The log's positions; each needs a propensity, further ones are ignored.

    Returns:
        Shape ``(n_positions,)``, in (0, 1].

    Raises:
        InputError: One sentence for each fault.
    """
    path = Path(path)
    rows = _read(path)
    found: dict[int, float] = {}
    faults = []
    for number, (position, propensity) in enumerate(rows, start=1):
        fault = _fault(position, propensity)
        if fault is None and int(float(position)) in found:
            fault = f"position {position} stands there twice; keep one."
        if fault is None:
            found[int(float(position))] = float(propensity)
        else:
            faults.append(f"{path.name}, row {number}: {fault}")
    missing = [position for position in range(n_positions) if position not in found]
    if missing and not faults:
        faults.append(
            f"{path.name} has no propensity for position {missing[0]} ({len(missing)} of the "
            f"log's {n_positions} positions are missing); positions count from 0."
        )
    if faults:
        raise InputError("\n".join(faults))
    return np.array([found[position] for position in range(n_positions)])


def _fault(position: Any, propensity: Any) -> str | None:
    """What is wrong with one row, or None."""
    try:
        place = float(position)
        if place < 0 or place != int(place):
            raise ValueError
    except (TypeError, ValueError, OverflowError):
        return f"position must be a whole number from 0, got {position!r}."
    try:
        chance = float(propensity)
    except (TypeError, ValueError):
        chance = float("nan")
    if not 0 < chance <= 1:
        return f"propensity must be in (0, 1], got {propensity!r}."
    return None


def _read(path: Path) -> list[tuple[Any, Any]]:
    """The file's rows as (position, propensity), unchecked."""
    if not path.is_file():
        raise InputError(f"objective.propensity_file must be a file, but {str(path)!r} is not one.")
    try:
        if path.suffix == ".json":
            return _of_json(path)
        if path.suffix in (".parquet", ".pq"):
            columns = pq.read_table(path).to_pydict()
        else:
            columns = _of_csv(path)
    except (ValueError, OSError, RecursionError, pa.ArrowException, csv.Error) as error:
        if isinstance(error, InputError):
            raise
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(f"{path.name} cannot be read: {reason}") from error
    absent = [name for name in COLUMNS if name not in columns]
    if absent:
        raise InputError(
            f"{path.name} must have the columns position and propensity, but has "
            f"{', '.join(map(str, columns)) or 'none'}."
        )
    return list(zip(columns["position"], columns["propensity"], strict=True))


def _of_csv(path: Path) -> dict[str, list[Any]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file)
        rows = list(reader)
        return {name: [row[name] for row in rows] for name in reader.fieldnames or ()}


def _of_json(path: Path) -> list[tuple[Any, Any]]:
    content = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict):
        raise InputError(
            f"{path.name} must hold an object of position to propensity, such as "
            '{"0": 1.0, "1": 0.6}.'
        )
    return list(content.items())
