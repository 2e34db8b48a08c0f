"""What is kept on disk of the finalists and of the sealed test, beside the study's other files."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from experiments.common.files import finite, replacing, write_json
from experiments.data.format.click_log import ClickLog
from experiments.judging.comparison import Comparison
from experiments.judging.finalists import Finalist
from experiments.judging.sealed_test import SealedTest
from experiments.replay.results import SessionScores
from experiments.study_folder.session_table import session_table

FOLDER = "evidence"


def write_finalists(
    folder: Path, log: ClickLog, finalists: Sequence[Finalist]
) -> list[dict[str, Any]]:
    """Keep the finalists' figures and their sessions' rows, in place of those of others.

    Args:
        folder: The study's folder.
        log: The log that was replayed.
        finalists: Best first.

    Returns:
        The finalists' figures as ``finalists.json`` holds them.
    """
    kept = {
        write_sessions(folder, "tune", item.trial, log, item.result.sessions) for item in finalists
    }
    records = [finalist_record(item) for item in finalists]
    write_json(folder / FOLDER / "finalists.json", records)
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
    write_json(folder / FOLDER / "importances.json", dict(importances))


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
        session_table(log, scores).to_parquet(unfinished, index=False)
    return path


def sessions_path(folder: Path, window: str, trial: int) -> Path:
    """Where a trial's session table stands."""
    return folder / FOLDER / f"{window}-{trial}.parquet"


def read_sessions(folder: Path, window: str, trial: int) -> pd.DataFrame | None:
    """A trial's session table, or None if it was not kept."""
    path = sessions_path(folder, window, trial)
    return pd.read_parquet(path) if path.is_file() else None


def read_json(folder: Path, name: str) -> Any:
    """One of this folder's JSON files, or None if it was not kept."""
    path = folder / FOLDER / name
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None


def finalist_record(finalist: Finalist) -> dict[str, Any]:
    """A finalist as plain data: ``trial``, ``settings``, ``metrics`` and its comparisons."""
    return {
        "trial": finalist.trial,
        "settings": finalist.settings.to_dict(),
        "metrics": dict(finalist.result.metrics),
        "gain": comparison_record(finalist.gain),
        "gain_over_defaults": comparison_record(finalist.gain_over_defaults),
        "bystanders": comparison_record(finalist.bystanders),
    }


def sealed_record(opened: SealedTest) -> dict[str, Any]:
    """The ``verdict`` and ``test`` entries of a study's summary."""
    verdict = opened.verdict
    return {
        "verdict": {
            "decision": verdict.decision,
            "sentence": verdict.sentence,
            "reasons": list(verdict.reasons),
            "notes": list(verdict.notes),
        },
        "test": {
            "trial": opened.trial,
            "openings": list(opened.openings),
            "optimism": opened.optimism,
            "tune": comparison_record(opened.tune),
            "test": comparison_record(opened.test),
            "test_over_defaults": comparison_record(opened.test_over_defaults),
            "bystanders": comparison_record(opened.bystanders),
            "metrics": dict(opened.test_result.metrics),
        },
    }


def comparison_record(comparison: Comparison | None) -> dict[str, Any] | None:
    """A comparison as plain data."""
    return None if comparison is None else finite(asdict(comparison))
