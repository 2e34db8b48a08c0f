"""Whether verdicts can be trusted: whole small studies on logs whose truth is known."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig
from experiments.config.study import GuardrailsConfig
from experiments.data.format.click_log import ClickLog
from experiments.data.format.folder import load_click_log
from experiments.data.made.simulated import prepare_simulated
from experiments.judging.finalists import N_FINALISTS, Candidate
from experiments.judging.sealed_test import SealedTest, first_that_stays, open_sealed_test
from experiments.replay.guardrails import broken
from experiments.replay.replay import replay_maker
from experiments.replay.settings import Settings

SHOP = SimulatedConfig(
    n_sessions=2400,
    n_users=120,
    n_objects=240,
    n_topics=12,
    n_queries=120,
    dimensions=24,
    max_parts=2,
)
SCOPES = {True: ("user_id", "none"), False: ("user_id",)}
"""Null → the scopes that logs take turns in. Without an effect, vectors that all users share are
tried too, as they make users least independent of each other; an effect is planted a user."""

N_TRIALS = 12
DEFAULTS = Settings(AdjusterConfig(), SelectionConfig())


def iter_studies(
    n_logs: int, *, null: bool, seed: int = 0, shop: SimulatedConfig = SHOP
) -> Iterator[SealedTest]:
    """Simulate logs, search each at random on tune, and open its sealed test on the best trial.

    Args:
        n_logs: How many logs, each with a seed of its own.
        null: Whether clicks carry no signal.
        seed: Of the first log.
        shop: The sizes of the simulated shop.

    Yields:
        What the sealed test said; logs on which no trial kept the guardrails say nothing and are
        left out, as such a study has no finalist.
    """
    for number in range(n_logs):
        log = _simulate(replace(shop, null=null), seed + number)
        config = ReplayConfig(personalize_by=SCOPES[null][number % len(SCOPES[null])])
        opened = study_once(log, config, seed=seed + number)
        if opened is not None:
            yield opened


def study_once(
    log: ClickLog,
    config: ReplayConfig,
    *,
    seed: int,
    n_trials: int = N_TRIALS,
) -> SealedTest | None:
    """A study in small: a random search on tune, its best trial on the sealed test.

    Args:
        log: The log.
        config: How to replay.
        seed: Of the search and of the resampling.
        n_trials: Trials, the published defaults included.

    Returns:
        What the sealed test said; None if no trial kept the guardrails.
    """
    objective, guardrails = ObjectiveConfig(), GuardrailsConfig()
    make_replay = replay_maker(log, objective)
    tune = make_replay(config, "tune")
    feasible: dict[int, float] = {}
    tried = [DEFAULTS, *_draw(np.random.default_rng(seed), n_trials - 1)]
    for number, settings in enumerate(tried):
        metrics = tune.run(settings).metrics
        if not broken(metrics, guardrails):
            feasible[number] = metrics[objective.metric]
    if not feasible:
        return None
    ranked = sorted(feasible, key=lambda number: -feasible[number])[:N_FINALISTS]
    finalists = [Candidate(number, tried[number]) for number in ranked]
    chosen, _ = first_that_stays(finalists, make_replay(config, "test"), guardrails)
    return open_sealed_test(
        chosen,
        DEFAULTS,
        make_replay,
        config,
        guardrails,
        _NeverOpened(),
        metric=objective.metric,
        seed=seed,
    )


class _NeverOpened:
    """The memory of a study that is thrown away."""

    def read(self) -> list[int]:
        """No trials."""
        return []

    def record(self, trial: int) -> None:
        """Nothing to remember."""


def _simulate(shop: SimulatedConfig, seed: int) -> ClickLog:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "shop"
        prepare_simulated(path, shop, seed)
        return load_click_log(path)


def _draw(rng: np.random.Generator, n: int) -> list[Settings]:
    """Random settings over the default search space's ranges."""
    return [
        DEFAULTS.with_values(
            {
                "adjustment_rate": float(np.exp(rng.uniform(np.log(1e-5), np.log(0.5)))),
                "num_iterations": int(rng.integers(1, 51)),
                "softmin_temperature": float(np.exp(rng.uniform(np.log(0.05), np.log(5)))),
            }
        )
        for _ in range(n)
    ]
