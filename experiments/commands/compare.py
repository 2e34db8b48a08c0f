"""``python -m experiments.compare studies=a,b``: two results on the same sessions, paired."""

import math
from dataclasses import dataclass

from experiments.common.console import say
from experiments.common.errors import InputError
from experiments.common.wording import label, plain, signed
from experiments.config.command import OK
from experiments.config.commands import CompareConfig
from experiments.config.saved import read_config
from experiments.judging.comparison import (
    Comparison,
    Judge,
    cluster_text,
    compare_with,
    compare_with_no_adjustment,
)
from experiments.replay.results import SessionScores
from experiments.study_folder.finished_study import read_study
from experiments.study_folder.session_table import read_scores
from experiments.workflow.engines import open_swept, replay_over
from experiments.workflow.first_replay import first_replay
from experiments.workflow.studies import base_settings


@dataclass(frozen=True)
class Side:
    """One of the two: its rows, and what they must share with the other's."""

    name: str
    fingerprint: str
    metric: str
    scores: SessionScores


def compare(command: CompareConfig) -> int:
    """Compare two results on the sessions that both score; the exit status."""
    first, second = _studies(command) if command.studies else _configurations(command)
    check_same_data(first, second)
    say(comparison_text(first, second))
    return OK


def check_same_data(first: Side, second: Side) -> None:
    """Refuse two results that cannot be paired.

    Raises:
        InputError: If data, metric or scored sessions differ, saying which.
    """
    for what, mine, other in (
        ("data set (fingerprint)", first.fingerprint[:12], second.fingerprint[:12]),
        ("objective", first.metric, second.metric),
        ("number of scored sessions", len(first.scores.user), len(second.scores.user)),
    ):
        if mine != other:
            raise InputError(
                f"{first.name} and {second.name} cannot be compared: the {what} is {mine} and "
                f"{other}, it must be the same."
            )


def comparison_text(first: Side, second: Side) -> str:
    """Both against no adjustment, and the second against the first."""
    judge = Judge(first.metric, seed=0)
    lines = [f"{label(first.metric)} on the tune sessions, over means of each user:"]
    for side in (first, second):
        alone = compare_with_no_adjustment(side.scores, judge)
        lines.append(f"{side.name}: {plain(alone.mean)}, {_gain(alone)}")
    try:
        between = compare_with(second.scores, first.scores, judge, name=first.name)
    except ValueError as error:
        raise InputError(str(error)) from None
    lines += [f"{second.name} against {first.name}: {_gain(between)}", _conclusion(between, second)]
    return "\n".join(lines)


def _gain(item: Comparison) -> str:
    effect = "" if math.isnan(item.effect_size) else f"d {signed(item.effect_size)}, "
    return (
        f"{signed(item.gain)} over {item.reference} (95 % interval {signed(item.low)} to "
        f"{signed(item.high)}, {effect}{cluster_text(item)}, "
        f"{item.n_sessions} sessions)"
    )


def _conclusion(between: Comparison, second: Side) -> str:
    if between.low > 0:
        return f"{second.name} is clearly better."
    if between.high < 0:
        return f"{between.reference} is clearly better."
    return "The difference may be chance."


def _studies(command: CompareConfig) -> list[Side]:
    sides = []
    for name in command.studies:
        study = read_study(command.output_dir, name)
        table = study.sessions("tune")
        if table is None:
            raise InputError(_nothing_to_compare(name, study.best))
        fingerprint = study.summary.dataset.fingerprint
        sides.append(Side(name, fingerprint, study.metric, read_scores(table)))
    return sides


def _nothing_to_compare(name: str, best: int | None) -> str:
    if best is None:
        return f"study {name} has no finalist: no trial kept its guardrails."
    return f"study {name} keeps no sessions of trial {best}. The same export command writes them."


def _configurations(command: CompareConfig) -> list[Side]:
    return [_replayed(path, command) for path in command.configs]


def _replayed(path: str, command: CompareConfig) -> Side:
    config = read_config(path)
    with open_swept(config, command.dataset.path) as opened, first_replay(f"Replaying {path}"):
        replay = replay_over(opened, config)
        scores = replay.run(base_settings(config)).sessions
    return Side(path, opened.log.fingerprint, replay.objective_key, scores)
