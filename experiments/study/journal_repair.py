"""Mending a journal with damaged lines: what can be read is kept, what was there is set aside.

Two writers' lines run together on some network file systems; a disk error leaves anything. A
journal is a list of operations on trials that are numbered by their order of creation, so a line
may be left out only if it cannot have created one.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.storages.journal._storage import JournalStorageReplayResult

from experiments.common.errors import InputError
from experiments.common.files import aside_name

CREATE_STUDY, CREATE_TRIAL = 0, 4
"""Operations of Optuna's journal that give out a number."""

MAX_ID = 2**31


@dataclass(frozen=True)
class Repair:
    """What was mended.

    Args:
        journal: The file.
        lines: Numbers of the damaged lines, from 1.
        aside: Where the journal as it was lies now.
        n_recovered: Operations that were read out of the damaged lines.
    """

    journal: Path
    lines: tuple[int, ...]
    aside: Path
    n_recovered: int

    @property
    def sentence(self) -> str:
        """What happened, for whoever runs the study."""
        named = ", ".join(map(str, self.lines[:5])) + (", …" if len(self.lines) > 5 else "")
        lines = f"line {named} is" if len(self.lines) == 1 else f"lines {named} are"
        return (
            f"{self.journal}: {lines} damaged. {self.n_recovered} whole records were read out of "
            f"them and the rest is left out; the file as it was is {self.aside}. A trial whose "
            "outcome is lost is run again."
        )


class _Form:
    """Takes what has the form of an operation."""

    def takes(self, item: Any) -> bool:
        """Whether an object names an operation, who did it, and what it was done to."""
        return _has_form(item)


class _Replay(_Form):
    """Takes operations that Optuna can apply to what those before them made."""

    def __init__(self) -> None:
        self._made = JournalStorageReplayResult("")

    def takes(self, item: Any) -> bool:
        """Whether Optuna applies the operation."""
        if not super().takes(item):
            return False
        try:
            self._made.apply_logs([item])
        except Exception:  # Whatever Optuna raises at a value that it did not write.
            return False
        return True


def repair_journal(path: Path, *, replayed: bool = False) -> Repair | None:
    """Leave out what cannot be read of a journal, and keep a copy; None where all can be read.

    Call it only where no other process has the study. A last line without an end is the work of
    a kill and is left to whoever appends next.

    Args:
        path: The journal; need not exist.
        replayed: Whether each operation must also be one that Optuna can apply. That takes as
            long as opening the study, so it is for journals that cannot be opened.

    Raises:
        InputError: If what is lost may have given out a trial's number.
    """
    if not path.is_file():
        return None
    known = _Replay() if replayed else _Form()
    kept: list[bytes] = []
    damaged: list[int] = []
    n_recovered = 0
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        if not line.endswith(b"\n") or known.takes(_parsed(line)):
            kept.append(line)
            continue
        damaged.append(number)
        objects = _objects(line.decode("utf-8", "replace"))
        whole = [item for item in objects if known.takes(item)]
        n_recovered += len(whole)
        kept += [json.dumps(item, separators=(",", ":")).encode() + b"\n" for item in whole]
    if not damaged:
        return None
    _check_numbers(path, damaged, kept)
    aside = aside_name(path)
    shutil.copy2(path, aside)
    _replace(path, b"".join(kept))
    return Repair(path, tuple(damaged), aside, n_recovered)


def _parsed(line: bytes) -> Any:
    """The value that a line holds; None if it holds none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _has_form(item: Any) -> bool:
    if not isinstance(item, dict) or type(item.get("op_code")) is not int:
        return False
    numbers = [item[name] for name in ("study_id", "trial_id") if name in item]
    named = bool(numbers) or isinstance(item.get("study_name"), str)
    whole = all(type(number) is int and 0 <= number < MAX_ID for number in numbers)
    return named and whole and isinstance(item.get("worker_id"), str)


def _objects(text: str) -> Iterator[dict[str, Any]]:
    """The objects that stand whole in a damaged line and begin as operations do."""
    decoder, start = json.JSONDecoder(), text.find('{"op_code"')
    while start >= 0:
        try:
            item, end = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):
            end = start + 1
        else:
            yield item
        start = text.find('{"op_code"', end)


def _check_numbers(path: Path, damaged: list[int], kept: list[bytes]) -> None:
    """Refuse where the trials that remain do not bear the numbers that others call them by.

    Raises:
        InputError: Naming the file and its first damaged line.
    """
    items = [json.loads(line) for line in kept if line.endswith(b"\n")]
    n_trials = sum(item["op_code"] == CREATE_TRIAL for item in items)
    n_studies = sum(item["op_code"] == CREATE_STUDY for item in items)
    highest = max((item["trial_id"] for item in items if "trial_id" in item), default=-1)
    if n_studies and highest < n_trials:
        return
    raise InputError(
        f"{path}: line {damaged[0]} is damaged, and it made a trial or the study: what follows "
        "cannot be told apart any more. Put a copy of the file back, or begin a new study with "
        "another study.name. Nothing was changed."
    )


def _replace(path: Path, content: bytes) -> None:
    """Put the content in the journal's place at once: whole, or as it was."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_bytes(content)
    shutil.copymode(path, unfinished)
    unfinished.replace(path)
