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

from experiments.common.errors import InputError
from experiments.common.files import aside_name

CREATE_STUDY, CREATE_TRIAL = 0, 4
"""Operations of Optuna's journal that give out a number."""


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


def repair_journal(path: Path) -> Repair | None:
    """Leave out what cannot be read of a journal, and keep a copy; None where all can be read.

    Call it only where no other process has the study. A last line without an end is the work of
    a kill and is left to whoever appends next.

    Args:
        path: The journal; need not exist.

    Raises:
        InputError: If what is lost may have given out a trial's number.
    """
    if not path.is_file():
        return None
    kept: list[bytes] = []
    damaged: list[int] = []
    n_recovered = 0
    for number, line in enumerate(path.read_bytes().splitlines(keepends=True), 1):
        if not line.endswith(b"\n") or _is_operation(line):
            kept.append(line)
            continue
        damaged.append(number)
        whole = list(_whole_operations(line.decode("utf-8", "replace")))
        n_recovered += len(whole)
        kept += [json.dumps(item, separators=(",", ":")).encode() + b"\n" for item in whole]
    if not damaged:
        return None
    _check_numbers(path, damaged, kept)
    aside = aside_name(path)
    shutil.copy2(path, aside)
    _replace(path, b"".join(kept))
    return Repair(path, tuple(damaged), aside, n_recovered)


def _is_operation(line: bytes) -> bool:
    try:
        return _has_form(json.loads(line))
    except ValueError:
        return False


def _has_form(item: Any) -> bool:
    """Whether an object names an operation, who did it, and what it was done to."""
    return (
        isinstance(item, dict)
        and isinstance(item.get("op_code"), int)
        and "worker_id" in item
        and ("study_name" in item or "study_id" in item or "trial_id" in item)
    )


def _whole_operations(text: str) -> Iterator[dict[str, Any]]:
    """The operations that stand whole in a damaged line."""
    decoder, start = json.JSONDecoder(), text.find('{"op_code"')
    while start >= 0:
        try:
            item, end = decoder.raw_decode(text, start)
        except ValueError:
            end = start + 1
        else:
            if _has_form(item):
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
