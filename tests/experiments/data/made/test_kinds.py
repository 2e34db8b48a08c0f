"""The catalogue of kinds: what it promises is in the logs, by a replay against the truth."""

from dataclasses import replace

import numpy as np
import pytest

from adjuster.config import RECOMMENDED, AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.benchmarks.true_gain import true_gain
from experiments.data.made.kinds import EFFECTS, KINDS, TRAPS
from experiments.replay.settings import Settings

GENTLE = Settings(AdjusterConfig(adjustment_rate=3e-3), SelectionConfig())
REFITTED = Settings(AdjusterConfig().with_values(RECOMMENDED), SelectionConfig())

BY_NAME = {kind.name: kind for kind in KINDS}
FOOLED = [
    "fixed order",
    "fixed order, a fifth shuffled",
    "sorted by past clicks",
    "bot, no id",
    "bot, 300 ids",
    "re-finding",
]
"""Traps in which clicks seem to gain."""


def test_there_are_enough_kinds_and_none_tells_the_truth():
    assert len(BY_NAME) == len(KINDS)
    assert len(TRAPS) >= 12
    assert len(EFFECTS) >= 8
    assert not any(kind.config.log_truth for kind in KINDS)
    assert all(("adopt" in kind.right) != kind.is_null for kind in KINDS)


@pytest.mark.parametrize("kind", EFFECTS, ids=lambda kind: kind.name)
def test_the_planted_effect_is_there(kind):
    gain = true_gain(kind, 1, GENTLE)
    assert gain.judged >= 0.03
    assert gain.judged > 5 * gain.error


@pytest.mark.parametrize("name", FOOLED)
def test_a_trap_seems_to_gain_by_clicks_and_gains_nothing(name):
    gain = true_gain(BY_NAME[name], 1, REFITTED)
    assert gain.naive > 0.03
    assert gain.judged < 2 * gain.error


@pytest.mark.parametrize(
    "name", [kind.name for kind in TRAPS if kind.name.startswith(("position", "vectors"))]
)
def test_where_clicks_tell_nothing_new_nothing_is_gained(name):
    assert true_gain(BY_NAME[name], 1, REFITTED).judged < 0.01


@pytest.mark.slow
def test_daily_wants_gain_nothing_on_average_and_vary_more_than_users_tell():
    gains = [true_gain(BY_NAME["daily wants"], seed, REFITTED) for seed in range(12)]
    judged = np.array([gain.judged for gain in gains])
    spread = judged.std(ddof=1)
    assert abs(judged.mean()) < 3 * spread / np.sqrt(len(judged))
    assert spread > 3 * np.mean([gain.error for gain in gains])


def test_a_flip_turns_the_gain_into_a_loss():
    kind = BY_NAME["flip"]
    flipped = true_gain(kind, 1, GENTLE).judged
    lasting = true_gain(replace(kind, config=replace(kind.config, flip_at=1.0)), 1, GENTLE).judged
    assert flipped < lasting - 0.01
