"""A replayer whose gains are planted in the settings, for tests of what stands above the replay."""

from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import numpy as np

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.replay import ReplayConfig
from experiments.replay.objective import Objective
from experiments.replay.results import (
    CurvePoint,
    ReplayResult,
    SessionCounts,
    SessionScores,
    Traffic,
)
from experiments.replay.settings import Settings

N_USERS = 120


def make_settings(**values) -> Settings:
    return Settings(AdjusterConfig(**values), SelectionConfig())


@dataclass
class PlantedReplay:
    """Every session gains `anchor_weight` times a factor of the window, with noise."""

    config: ReplayConfig
    window: str
    calls: list = field(default_factory=list)
    bystander_gain: float = 0.0
    test_factor: float = 0.5
    rival_lead: float = -0.05
    silent: float = 0.5

    @property
    def objective(self) -> Objective:
        """Clicks as they are, in an order that moves enough to be trusted."""
        return planted_objective()

    def baselines(self, settings: Settings) -> dict[str, ReplayResult]:
        """Popularity, which gains `rival_lead` more than the settings, and the headroom."""
        mine = self._result(settings)
        after = {name: values + self.rival_lead for name, values in mine.sessions.after.items()}
        other = replace(mine.sessions, after=after)
        return {
            "no_adjustment": mine,
            "popularity": replace(mine, sessions=other),
            "headroom": mine,
        }

    def traffic(self) -> Traffic:
        """Many people, queries and hours."""
        n = np.arange(600)
        return Traffic(n % N_USERS, n % 7, 3600 * n, np.ones(600, np.int64), 5 + n % 50)

    def silent_share(self) -> float:
        """Share of the traffic without feedback."""
        return self.silent

    def run(self, settings: Settings) -> ReplayResult:
        self.calls.append((self.window, self.config.bystander_share, self.config.bystander_fold))
        return self._result(settings)

    def bystanders(self, settings: Settings):
        return self.run(settings).bystanders

    def _result(self, settings: Settings) -> ReplayResult:
        factor = 1.0 if self.window == "tune" else self.test_factor
        gain = settings.adjuster.anchor_weight * factor
        sessions = planted_scores(gain, seed=len(self.window), n_sessions=600)
        withheld = None
        if self.config.bystander_share:
            fold = self.config.bystander_fold
            withheld = planted_scores(self.bystander_gain, seed=100 + fold, n_sessions=100)
        delta = sessions.after["ndcg_at_10"] - sessions.before["ndcg_at_10"]
        return ReplayResult(
            metrics={
                "ndcg_at_10": float(sessions.after["ndcg_at_10"].mean()),
                "before_ndcg_at_10": float(sessions.before["ndcg_at_10"].mean()),
                "delta_ndcg_at_10": float(delta.mean()),
                "drift_mean": settings.adjuster.adjustment_rate,
                "drift_at_log_end": settings.adjuster.adjustment_rate,
                "harmed_share": float((delta < 0).mean()),
                "reach": 1.0,
            },
            sessions=sessions,
            bystanders=withheld,
            curve=[CurvePoint(100 * i, 30, 0.5, 0.5 + gain) for i in range(1, 21)],
            counts=SessionCounts(0, {"selected": 600}),
            blocks=[0.5] * 20,
            seconds={"replay": 0.1},
        )


def planted_objective(**values) -> Objective:
    """An objective that takes clicks as they are; `unidentified` only if told so."""
    clicks = SimpleNamespace(
        is_silent=False, identifiability=SimpleNamespace(is_identified=True, reason="")
    )
    known = {
        "key": "ndcg_at_10",
        "metric": "ndcg_at_10",
        "estimator": "naive",
        "reason": "Planted.",
        "bias": None,
        "clicks": clicks,
    }
    return Objective(**{**known, **values})


def planted_scores(gain: float, *, seed: int, n_sessions: int) -> SessionScores:
    rng = np.random.default_rng(seed)
    user = rng.integers(0, N_USERS, n_sessions)
    before = rng.uniform(0.3, 0.7, n_sessions)
    after = before + gain + rng.normal(size=n_sessions) * 0.02
    return SessionScores(
        session=np.arange(n_sessions),
        owner=user,
        user=user,
        query=np.arange(n_sessions),
        created_at=3600 * np.arange(n_sessions),
        reached=np.ones(n_sessions, bool),
        before={"ndcg_at_10": before},
        after={"ndcg_at_10": after},
        refound=np.zeros(n_sessions),
        lasting=np.zeros(n_sessions),
    )
