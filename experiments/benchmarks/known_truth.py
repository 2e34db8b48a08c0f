"""Verdicts on logs whose truth is known, each by the commands that a user runs."""

import io
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments.benchmarks.one_a_core import one_a_core
from experiments.config.command import OK, run_command
from experiments.data.made.kinds import Kind
from experiments.data.made.simulated import prepare_simulated
from experiments.study_folder.judged_records import SealedRecord
from experiments.study_folder.summary import read_summary

N_TRIALS = 16
"""Trials of each study: the enqueued ones, then the sampler's."""

STUDY = "calibration"
NO_FINALIST = "no finalist"
"""In place of a decision, where no trial kept the guardrails: there is nothing to open."""


@dataclass(frozen=True)
class Answer:
    """What the commands said of one log.

    Args:
        kind: Which kind of log it is.
        seed: Of the log and of the study.
        sealed: The verdict and the figures behind it, as ``summary.json`` holds them; None where
            no trial kept the guardrails.
    """

    kind: Kind
    seed: int
    sealed: SealedRecord | None

    @property
    def decision(self) -> str:
        """``adopt``, ``keep off`` or ``cannot tell``; or `NO_FINALIST`."""
        return self.sealed.verdict.decision if self.sealed else NO_FINALIST

    @property
    def is_wrong(self) -> bool:
        """Whether the decision is none of the right ones, or adopts without saying what it must."""
        if self.sealed is None:
            return False
        if self.decision not in self.kind.right:
            return True
        return self.sealed.verdict.adopts and not self.says_so

    @property
    def says_so(self) -> bool:
        """Whether the verdict mentions what is particular to this kind, where there is such."""
        if self.sealed is None:
            return False
        verdict = self.sealed.verdict
        text = " ".join([verdict.sentence, *verdict.reasons, *verdict.notes])
        return self.kind.says is None or self.kind.says in text


def answers(kinds: Sequence[Kind], n_logs: int, *, seed: int = 0) -> Iterator[Answer]:
    """Make logs of each kind and let the commands judge them, one process a core.

    Args:
        kinds: Of the catalogue.
        n_logs: How many logs of each, with the seeds from `seed` on.
        seed: Of the first log, >= 0.

    Yields:
        An answer a log, as they come.
    """
    jobs = [(kind, seed + number) for number in range(n_logs) for kind in kinds]
    yield from one_a_core(answer, jobs)


def answer(kind: Kind, seed: int) -> Answer:
    """Make a log and judge it: ``sweep``, then ``export``, as from a terminal.

    Sampler, pruner, guardrails and rules of choice are those that ship; only trials are fewer.

    Args:
        kind: Of the catalogue.
        seed: Of the log and of the study, >= 0.

    Raises:
        RuntimeError: If a command failed, with what it said.
    """
    with TemporaryDirectory() as folder:
        log, output_dir = Path(folder) / "log", Path(folder) / "outputs"
        prepare_simulated(log, kind.config, seed)
        run_quietly(
            "sweep",
            [
                "dataset=folder",
                f"dataset.path={log}",
                f"replay.personalize_by={kind.personalize_by}",
                f"study.name={STUDY}",
                f"study.n_trials={N_TRIALS}",
                f"study.seed={seed}",
                "tracking=none",
                f"output_dir={output_dir}",
            ],
        )
        summary = Path(output_dir) / STUDY / "summary.json"
        if read_summary(summary).best is not None:
            run_quietly("export", [f"study={STUDY}", f"output_dir={output_dir}"])
        sealed = read_summary(summary).sealed
    return Answer(kind, seed, sealed)


def run_quietly(name: str, arguments: Sequence[str]) -> None:
    """Run a command in this process as its module does, its terminal's lines kept back.

    Args:
        name: Of the command.
        arguments: As on the command line.

    Raises:
        RuntimeError: If it failed, with what it said.
    """
    command: Callable[[Any], int] = getattr(import_module(f"experiments.{name}"), name)
    said = io.StringIO()
    with redirect_stdout(said), redirect_stderr(said):
        status = run_command(name, command, arguments)
    if status != OK:
        raise RuntimeError(f"{name} {' '.join(arguments)} failed: {said.getvalue()}")
