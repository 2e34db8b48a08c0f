"""The ledger of sealed tests in an output folder: one file for all of its studies."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from experiments.common.errors import InputError
from experiments.common.files import write_json
from experiments.study.file_lock import FileLock

Found = TypeVar("Found")

NAME = "sealed_tests.json"


class LedgerFile:
    """Openings by data set, as ``sealed_tests.json``; whole or as it was after any accident.

    Args:
        output_dir: Where the studies lie.
    """

    def __init__(self, output_dir: Path) -> None:
        self.path = output_dir / NAME
        output_dir.mkdir(parents=True, exist_ok=True)
        self._lock = FileLock(output_dir / f".{NAME}.lock")

    @property
    def name(self) -> str:
        """Its path."""
        return str(self.path)

    def locked(self, action: Callable[[], Found]) -> Found:
        """Act while the file's lock is held."""
        with self._lock.held():
            return action()

    def read(self, fingerprint: str) -> Sequence[Mapping[str, Any]]:
        """The openings of a data set, oldest first.

        Raises:
            InputError: If the file is damaged.
        """
        return self._load().get(fingerprint, [])

    def append(self, fingerprint: str, opening: Mapping[str, Any]) -> None:
        """Add an opening; durable when this returns."""
        kept = self._load()
        kept.setdefault(fingerprint, []).append(dict(opening))
        write_json(self.path, kept)

    def _load(self) -> dict[str, list[dict[str, Any]]]:
        if not self.path.is_file():
            return {}
        try:
            kept = json.loads(self.path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise InputError(self._damaged(str(error))) from None
        except RecursionError:
            raise InputError(self._damaged("it is nested too deeply")) from None
        if not isinstance(kept, dict) or not all(map(_is_openings, kept.values())):
            raise InputError(self._damaged("it must hold a list of records for each data set"))
        return kept

    def _damaged(self, what: str) -> str:
        return (
            f"The record of sealed tests in {self.path} is damaged: {what}. Put a copy of it "
            "back; without one, no test counts as sealed any more."
        )


def _is_openings(rows: Any) -> bool:
    return isinstance(rows, list) and all(isinstance(row, dict) for row in rows)
