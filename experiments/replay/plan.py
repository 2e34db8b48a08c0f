"""What a setting becomes on one layout: its open values fixed, its ticks and its lessons."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adjuster.fused_engine.streams import Lessons
from adjuster.selection import SelectionConfig
from experiments.common.errors import InputError
from experiments.config.replay import ReplayConfig
from experiments.replay.layout import Layout
from experiments.replay.lessons import build_lessons
from experiments.replay.schedule import Schedule, build_schedule
from experiments.replay.settings import Settings


@dataclass(frozen=True)
class Plan:
    """The worker's ticks under one interval and selection, and what each pair learns."""

    schedule: Schedule
    lessons: Lessons


def make_plan(
    layout: Layout, rule: SelectionConfig, interval_seconds: int, term_weight: str
) -> Plan:
    """Work out the ticks and the lessons of all settings that share these.

    Args:
        layout: The layout.
        rule: Which sessions are used.
        interval_seconds: Seconds between ticks; 0 is at once.
        term_weight: ``session`` or ``impression``.
    """
    schedule = find_schedule(layout, rule, interval_seconds)
    lessons = build_lessons(layout.timeline, layout.showings, schedule, term_weight=term_weight)
    return Plan(schedule, lessons)


def find_schedule(layout: Layout, rule: SelectionConfig, interval_seconds: int) -> Schedule:
    """The worker's ticks alone; see `make_plan`."""
    return build_schedule(
        layout.timeline,
        rule,
        interval_seconds=interval_seconds,
        batch_size=layout.config.batch_size,
    )


def resolve(layout: Layout, settings: Settings) -> Settings:
    """Settings with ``logit_bias: auto`` replaced by the number it stands for here.

    Raises:
        InputError: If that number is needed and there is no warmup to take it from.
    """
    return with_bias(settings, lambda: typical_similarity(layout))


def with_bias(settings: Settings, typical: Callable[[], float]) -> Settings:
    """Settings with ``logit_bias: auto`` replaced by a number, which is asked for if needed."""
    if settings.adjuster.loss != "logistic" or settings.adjuster.logit_bias != "auto":
        return settings
    return settings.with_values({"logit_bias": typical()})


def typical_similarity(layout: Layout) -> float:
    """Median similarity, with the originals, of the objects shown in warmup.

    Raises:
        InputError: If nothing was shown in warmup.
    """
    timeline = layout.timeline
    return median_of(layout.before[: timeline.offsets[timeline.warmup_end]], layout.config)


def median_of(shown: NDArray[np.floating], config: ReplayConfig) -> float:
    """The median of what warmup shows.

    Args:
        shown: Similarities with the originals, in any order.
        config: Says how long warmup is.

    Raises:
        InputError: If nothing was shown.
    """
    if not len(shown):
        raise InputError(
            "adjuster.logit_bias=auto is taken from warmup, but replay.split.warmup is "
            f"{config.split.warmup}. Pass a number, or a warmup above 0."
        )
    return float(np.median(shown))
