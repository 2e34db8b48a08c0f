"""The outlook of a study: what its log can tell, worked out before the first trial and kept."""

from adjuster.config import RECOMMENDED
from experiments.common.errors import InputError
from experiments.judging.outlook import Outlook, Reference, foresee
from experiments.replay.headroom import rank_by_other_labels
from experiments.replay.replay import Replay
from experiments.replay.scorable import scorable_in_test
from experiments.replay.settings import Settings
from experiments.study.enqueued import enqueued_settings
from experiments.study.study import Study
from experiments.study_folder.plain_data import from_plain, to_plain

OUTLOOK = "outlook"
"""Where a study keeps what was foreseen of it."""


def outlook_of(replay: Replay, base: Settings, min_gain: float) -> Outlook:
    """What a log can tell, at the cost of one replay and two fixed rankings.

    Args:
        replay: Of tune.
        base: The settings that a sweep varies: its interval, engine and selection hold.
        min_gain: The smallest gain worth having.
    """
    layout = replay.layout
    key = layout.objective.key
    oracles = [
        replay.score_ranking(rank_by_other_labels(layout, of="query")),
        replay.score_ranking(rank_by_other_labels(layout, of="owner")),
    ]
    return foresee(
        layout.objective,
        scorable_in_test(layout),
        [oracle.metrics[f"delta_{key}"] for oracle in oracles],
        _reference(replay, base),
        min_gain,
    )


def kept_outlook(study: Study, replay: Replay, min_gain: float) -> Outlook:
    """A study's outlook: what is kept with it, else worked out now and kept."""
    kept = study.attribute(OUTLOOK)
    if kept:
        return from_plain(Outlook, kept, OUTLOOK)
    outlook = outlook_of(replay, study.base, min_gain)
    study.set_attribute(OUTLOOK, to_plain(outlook))
    return outlook


def _reference(replay: Replay, base: Settings) -> Reference | None:
    """The recommended settings: a gentle gain, about as uneven as a finalist's.

    The published defaults move vectors so far that their gain varies up to three times as much
    between users, and would call hopeless what a finalist can show. They stand in where the
    recommended ones diverge, or need a warmup that there is not.
    """
    published = enqueued_settings("profiles", base)[0].settings
    gentle = published.with_values({"semantics": "documented", **RECOMMENDED})
    for name, settings in (("recommended settings", gentle), ("published defaults", published)):
        try:
            return Reference(name, replay.run(settings).sessions)
        except (FloatingPointError, InputError):
            continue
    return None
