"""What is kept on disk of the finalists and of the sealed test, beside the study's other files."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from experiments.common.errors import InputError
from experiments.common.files import aside_name, replacing, write_json
from experiments.common.parquet_file import ParquetFileWriter
from experiments.data.format.click_log import ClickLog
from experiments.judging.finalists import Finalist
from experiments.replay.results import SessionScores
from experiments.study_folder.judged_records import FinalistRecord
from experiments.study_folder.plain_data import read_json
from experiments.study_folder.session_table import check_session_table, session_table

FOLDER, FINALISTS, IMPORTANCES = "evidence", "finalists.json", "importances.json"
REMEDY = "The same sweep command writes it again."
EXPORT_REMEDY = "The same export command writes it again."


def write_finalists(
    folder: Path, log: ClickLog, finalists: Sequence[Finalist], *, adopted: int | None = None
) -> list[FinalistRecord]:
    """Keep the finalists' numbers and their sessions' rows, in place of those of others.

    Args:
        folder: The study's folder.
        log: The log that was replayed.
        finalists: Best first.
        adopted: Number of the trial that the sealed test adopted, whose rows stay too.

    Returns:
        What ``finalists.json`` holds.
    """
    kept = {
        write_sessions(folder, "tune", item.trial, log, item.result.sessions) for item in finalists
    }
    if adopted is not None:
        kept.add(sessions_path(folder, "tune", adopted))
    records = [FinalistRecord.of(item) for item in finalists]
    write_json(folder / FOLDER / FINALISTS, [record.to_dict() for record in records])
    for path in (folder / FOLDER).glob("tune-*.parquet"):
        if path not in kept:
            path.unlink()
    return records


def write_importances(folder: Path, importances: Mapping[str, float]) -> None:
    """Keep the share of each parameter.

    Args:
        folder: The study's folder.
        importances: Parameter → share.
    """
    write_json(folder / FOLDER / IMPORTANCES, dict(importances))


def write_sessions(
    folder: Path, window: str, trial: int, log: ClickLog, scores: SessionScores
) -> Path:
    """Write a replay's session table as Parquet; the file is whole or absent.

    Args:
        folder: The study's folder.
        window: ``tune`` or ``test``.
        trial: Number of the trial.
        log: The log that was replayed.
        scores: The rows.
    """
    path = sessions_path(folder, window, trial)
    with replacing(path) as unfinished:
        table = pa.Table.from_pandas(session_table(log, scores), preserve_index=False)
        with ParquetFileWriter(unfinished, table.schema) as writer:
            writer.write_table(table)
    return path


def sessions_path(folder: Path, window: str, trial: int) -> Path:
    """Where a trial's session table stands."""
    return folder / FOLDER / f"{window}-{trial}.parquet"


def read_sessions(folder: Path, window: str, trial: int) -> pd.DataFrame | None:
    """A trial's session table, or None if it was not kept.

    Raises:
        InputError: If the file cannot be read, naming it.
    """
    path = sessions_path(folder, window, trial)
    if not path.is_file():
        return None
    try:
        table = pd.read_parquet(path)
        check_session_table(table)
    except (OSError, ValueError, pa.ArrowException) as error:
        remedy = REMEDY if window == "tune" else EXPORT_REMEDY
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(f"{path} cannot be read: {reason}. {remedy}") from None
    return table


def whole_finalists(folder: Path) -> list[FinalistRecord]:
    """The finalists if all that was kept of them can be read; none where they must be judged anew.

    A damaged file is set aside, and a line says so.

    Args:
        folder: The study's folder.
    """
    path = folder / FOLDER / FINALISTS
    try:
        found = read_finalists(folder)
        for item in found:
            path = sessions_path(folder, "tune", item.trial)
            if read_sessions(folder, "tune", item.trial) is None:
                return []
    except InputError as error:
        aside = aside_name(path)
        path.replace(aside)
        reason = str(error).removesuffix(REMEDY).strip()
        print(f"{reason} It is {aside} now, and written anew.", file=sys.stderr)
        return []
    return found


def read_finalists(folder: Path) -> list[FinalistRecord]:
    """The finalists, best first; none if they were not kept.

    Args:
        folder: The study's folder.

    Raises:
        InputError: If the file cannot be read, naming it.
    """
    path = folder / FOLDER / FINALISTS
    return read_json(path, _finalists, REMEDY) if path.is_file() else []


def read_importances(folder: Path) -> dict[str, float]:
    """Parameter → share; empty if they were not kept.

    Args:
        folder: The study's folder.

    Raises:
        InputError: If the file cannot be read, naming it.
    """
    path = folder / FOLDER / IMPORTANCES
    return read_json(path, _importances, REMEDY) if path.is_file() else {}


def _finalists(data: Any) -> list[FinalistRecord]:
    if not isinstance(data, list):
        raise ValueError(f"it must be a list of finalists, got {type(data).__name__}")
    return [FinalistRecord.from_dict(item, f"[{index}]") for index, item in enumerate(data)]


def _importances(data: Any) -> dict[str, float]:
    if not isinstance(data, dict) or not all(isinstance(x, int | float) for x in data.values()):
        raise ValueError("it must hold a number for each parameter")
    return {str(name): float(share) for name, share in data.items()}
