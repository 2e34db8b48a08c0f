"""``python -m experiments.evaluate config=PATH``: replay an exported configuration again."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from experiments.common.console import say
from experiments.common.errors import InputError
from experiments.common.wording import grid, label
from experiments.config.command import FAILED, OK
from experiments.config.commands import EvaluateConfig, SweepConfig
from experiments.config.saved import read_config
from experiments.data.format.click_log import ClickLog
from experiments.judging.openings import look_at
from experiments.study_folder.layout import StudyFolder
from experiments.study_folder.ledger_file import LedgerFile
from experiments.workflow.engines import OpenLog, open_swept, replay_over
from experiments.workflow.first_replay import first_replay
from experiments.workflow.judgement import digest_of
from experiments.workflow.studies import base_settings

TOLERANCE = 1e-9
"""Two replays of one configuration on the same data agree at least this well."""


def evaluate(command: EvaluateConfig) -> int:
    """Replay a configuration, print its figures beside those it states; the exit status."""
    config = read_config(command.config)
    with open_swept(config, command.dataset.path) as opened:
        log = opened.log
        check_seal(config, log.fingerprint)
        with first_replay("Replaying the configuration"):
            metrics = replay_metrics(config, opened)
    stated = config.provenance.get("metrics", {})
    other = other_data(config.provenance, log)
    say(figures_table(metrics, {} if other else stated))
    differing = [] if other else disagreements(metrics, stated)
    for line in [*other, *differing]:
        print(line, file=sys.stderr)
    if stated and not other and not differing:
        say(f"All {len(stated)} figures are as stated, to {TOLERANCE:g}.")
    return FAILED if differing else OK


def check_seal(config: SweepConfig, fingerprint: str) -> None:
    """Refuse to show the sealed test on settings that it was not opened on.

    Raises:
        InputError: If the configuration asks for the test, and no ledger knows of its opening.
    """
    if config.provenance.get("window", "tune") == "tune":
        return
    root = Path(config.output_dir).expanduser()
    ledger = LedgerFile(root)
    digest = digest_of(config, fingerprint, base_settings(config))
    if look_at([ledger], fingerprint, digest) is None:
        raise InputError(
            "provenance.window asks for sessions of the sealed test, which was not opened on "
            f"these settings as far as {ledger.name} knows. Set it to tune, or open the test: "
            f"{StudyFolder(root, config.study.name).opening}"
        )


def replay_metrics(config: SweepConfig, opened: OpenLog) -> dict[str, float]:
    """The figures of a configuration on the window that its own were made on."""
    window = config.provenance.get("window", "tune")
    return replay_over(opened, config, window).run(base_settings(config)).metrics


def other_data(provenance: Mapping[str, Any], log: ClickLog) -> list[str]:
    """Says so if the figures were made on other data, and cannot be compared."""
    known = provenance.get("dataset", {}).get("fingerprint", log.fingerprint)
    if known == log.fingerprint:
        return []
    return [
        f"These are not the data that the stated figures were made on (fingerprint {known[:12]}, "
        f"now {log.fingerprint[:12]}): the figures are not compared."
    ]


def disagreements(metrics: Mapping[str, float], stated: Mapping[str, float]) -> list[str]:
    """A sentence for every stated figure that the replay does not reach."""
    return [
        f"{name} is {metrics.get(name)}, but {value} is stated."
        for name, value in stated.items()
        if name not in metrics or not abs(metrics[name] - value) <= TOLERANCE
    ]


def figures_table(metrics: Mapping[str, float], stated: Mapping[str, float]) -> str:
    """The figures as text, one a line, stated ones beside them."""
    head = ("", f"{'now':>12}", *((f"{'stated':>12}",) if stated else ()))
    rows = [head]
    for name, value in metrics.items():
        beside = (f"{stated[name]:12.9f}" if name in stated else "",) if stated else ()
        rows.append((label(name), f"{value:12.9f}", *beside))
    return "\n".join(grid(rows))
