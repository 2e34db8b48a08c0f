"""What a study takes from earlier ones: the best trial of each, where that fools nobody.

A verdict is honest as long as nothing that was tried was chosen with the study's test in sight.
What an earlier study found best was chosen on its sessions up to tune's end; and whoever names it
here may do so because of its sealed test, once that was opened. So a study keeps which sessions it
looked at (`Span`): its own, and those of the studies that it started from.

Neither name nor fingerprint tells whether two data sets hold the same searches: a later export of
a log has other ones. Times do: what was looked at must end before this study's test begins, or
begin after this log ends. Within one data set sessions are counted instead, and opened tests are
left to the ledger, which counts every look at that data set and widens the interval for it.
"""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from experiments.common.errors import InputError
from experiments.config.commands import SweepConfig
from experiments.config.faults import unknown_keys
from experiments.config.printed_command import sweep_command
from experiments.config.replay import ReplayConfig
from experiments.config.study_names import instead
from experiments.data.format.click_log import ClickLog
from experiments.judging.openings import Ledger, was_opened
from experiments.replay.partitioned.replay import PartitionedReplay
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from experiments.replay.timeline import split_sessions
from experiments.study.records import COMPLETE, PRUNED, best_feasible
from experiments.study.storage import StudyStorage, journal_path
from experiments.study.stored_trial import read_attributes, read_records
from experiments.study.study import STARTS
from experiments.study_folder.plain_data import from_plain, to_plain
from experiments.workflow.judgement import ledgers_of
from experiments.workflow.studies import base_settings, storage_of

LOOKED_AT = "looked_at"
"""Where a study keeps its `Span` and those of the studies that it started from."""

TRIED_BEFORE = "tried_before"
"""Where a study keeps how many trials chose what it started from."""

HOSTS = ("interval_seconds", "engine")
"""Settings that are a host's, not a search's: unless they are searched, this study's own hold."""

DAMAGED = (AttributeError, KeyError, OverflowError, TypeError, ValueError)
"""What reading a study raises that is not as a sweep left it."""


class Span(NamedTuple):
    """Which sessions a study looks at; times are epoch seconds.

    Args:
        fingerprint: Of the data set.
        n_tuned: Sessions up to tune's end.
        begins_at: Time of the first session.
        tuned_until: Time of tune's last session.
        tested_from: Time of the test's first session; None where there is no test.
        ends_at: Time of the last session.
    """

    fingerprint: str
    n_tuned: int
    begins_at: int
    tuned_until: int
    tested_from: int | None
    ends_at: int

    @classmethod
    def of(cls, log: ClickLog, config: ReplayConfig) -> "Span":
        """What a study of a log looks at."""
        times, (_, n_tuned) = log.session_created_at, split_sessions(log, config)
        return cls(
            fingerprint=log.fingerprint,
            n_tuned=n_tuned,
            begins_at=int(times[0]),
            tuned_until=int(times[n_tuned - 1]),
            tested_from=int(times[n_tuned]) if n_tuned < len(times) else None,
            ends_at=int(times[-1]),
        )

    def seen_until(self, *, opened: bool) -> int:
        """Time of the last session that was looked at.

        Args:
            opened: Whether the data set's test was.
        """
        return self.ends_at if opened else self.tuned_until

    def reaches_into_test_of(self, other: "Span", *, opened: bool) -> bool:
        """Whether sessions of another study's test may have been looked at.

        Args:
            other: The study that is to start.
            opened: Whether the test of this span's data set was.
        """
        if other.fingerprint == self.fingerprint:
            return self.n_tuned > other.n_tuned
        if other.tested_from is None:
            return False
        is_late = self.seen_until(opened=opened) >= other.tested_from
        return is_late and self.begins_at <= other.ends_at


class Earlier(NamedTuple):
    """What is read of an earlier study.

    Args:
        best: The settings of its best trial on tune within its guardrails.
        spans: Which sessions it looked at, or those that it started from.
        n_tried: Trials that the best was chosen from, in all of these.
    """

    best: Settings
    spans: list[Span]
    n_tried: int


def fixed_at_start(
    config: SweepConfig, log: ClickLog, replay: Replay | PartitionedReplay
) -> dict[str, Any]:
    """What a new study keeps for ever: what it tries before all else, and what chose that.

    Args:
        config: The sweep's configuration.
        log: Its click log.
        replay: The replay that its trials share.

    Raises:
        InputError: If a study of ``study.start_from`` is not there, has nothing to start from, is
            damaged, or may have looked at this one's test.
    """
    mine = Span.of(log, config.replay)
    starts: dict[str, Any] = {}
    spans, n_tried = [mine], 0
    for name in config.study.start_from:
        with closing(_storage(config, name)) as storage:
            found = storage.patiently(partial(_read, storage, name, config.output_dir))
            _refuse_flattery(name, found.spans, mine, ledgers_of(storage, Path(config.output_dir)))
        if found.best.adjuster.semantics == "published" and isinstance(replay, PartitionedReplay):
            replay.check_published()
        starts[f"best of {name}"] = _hosted(found.best, config).to_dict()
        spans += found.spans
        n_tried += found.n_tried
    looked_at = [to_plain(span) for span in dict.fromkeys(spans)]
    return {STARTS: starts, LOOKED_AT: looked_at, TRIED_BEFORE: n_tried}


def _storage(config: SweepConfig, name: str) -> StudyStorage:
    """The storage of an earlier study, which is there.

    Raises:
        InputError: If it is not.
    """
    journal = journal_path(config.output_dir, name)
    where, known = config.output_dir, sorted(path.stem for path in journal.parent.glob("*.journal"))
    if config.study.is_shared:
        with closing(storage_of(config, config.study.name)) as storage:
            where, known = "study.storage", storage.patiently(lambda: _names(storage))
    if name not in known:
        others = [other for other in known if other != config.study.name]
        raise InputError(
            f"study.start_from: study {name} has not been swept in {where}{instead(name, others)}"
        )
    return storage_of(config, name)


def _names(storage: StudyStorage) -> list[str]:
    return sorted(study.study_name for study in storage.storage.get_all_studies())


def _read(storage: StudyStorage, name: str, output_dir: str) -> Earlier:
    """An earlier study, every value checked.

    Raises:
        InputError: If it has no allowed trial, does not keep what was looked at, or is damaged.
    """
    try:
        records = read_records(storage.storage, name)
        best, kept = best_feasible(records), read_attributes(storage.storage, name) or {}
        if best is not None and LOOKED_AT in kept:
            n_tried = sum(record.state in (COMPLETE, PRUNED) for record in records)
            return Earlier(
                best=_checked_settings(best.settings),
                spans=_checked_spans(kept[LOOKED_AT]),
                n_tried=n_tried + int(kept.get(TRIED_BEFORE, 0)),
            )
    except DAMAGED as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"study.start_from: what study {name} kept cannot be read: {reason}. Leave it out."
        ) from None
    if best is None:
        raise InputError(
            f"study.start_from: no trial of study {name} was completed within its guardrails. "
            "Leave it out."
        )
    raise InputError(
        f"study.start_from: study {name} is of an earlier version and does not keep which sessions "
        f"it looked at. Run {sweep_command(name, output_dir)} with the settings that it had: that "
        "adds it, and repeats no trial."
    )


def _checked_settings(data: Any) -> Settings:
    """Settings as plain data have them; a ValueError for what no configuration may hold."""
    unknown = unknown_keys(data, Settings)
    if unknown:
        raise ValueError(unknown[0])
    return Settings.from_dict(data)


def _checked_spans(data: Any) -> list[Span]:
    spans = [from_plain(Span, item, LOOKED_AT) for item in data]
    for span in spans:
        for time in (span.tuned_until, span.ends_at):
            _when(time)  # Raises where it is no time.
    return spans


def _refuse_flattery(
    name: str, spans: Sequence[Span], mine: Span, ledgers: Sequence[Ledger]
) -> None:
    """Refuse to start from what may have been chosen with this study's test in sight.

    Raises:
        InputError: Saying until when it was looked, and what to do.
    """
    for span in spans:
        opened = was_opened(ledgers, span.fingerprint)
        if span.reaches_into_test_of(mine, opened=opened):
            assert mine.tested_from is not None
            raise InputError(
                f"study.start_from: study {name}, or one that it started from, looked at sessions "
                f"up to {_when(span.seen_until(opened=opened))}, and this study's test begins at "
                f"{_when(mine.tested_from)}: its verdict would be flattered. Let the test begin "
                "later (replay.split.warmup, replay.split.tune), or leave it out."
            )


def _hosted(found: Settings, config: SweepConfig) -> Settings:
    """Settings with this study's own `HOSTS`, as the published ones are tried."""
    space = config.search_space.parameters
    searched = {parameter.field or name for name, parameter in space.items()}
    base = base_settings(config)
    return found.with_values({name: base.value(name) for name in HOSTS if name not in searched})


def _when(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
