"""The sealed test of a planted log, opened on candidates made by hand."""

from dataclasses import replace
from functools import partial

from experiments.config.replay import ReplayConfig
from experiments.config.study import GuardrailsConfig
from experiments.judging.bystanders import Replays
from experiments.judging.comparison import Judge
from experiments.judging.finalists import Candidate
from experiments.judging.seal import Seal
from experiments.judging.sealed_test import Terms, open_sealed_test
from tests.experiments.judging.ledger_in_memory import InMemory
from tests.experiments.planted_replay import PlantedReplay, make_settings, planted_objective

GOOD = Candidate(12, make_settings(anchor_weight=0.06, adjustment_rate=0.05))
OTHER = Candidate(13, make_settings(anchor_weight=0.06, adjustment_rate=0.06))
JUDGE = Judge("ndcg_at_10", seed=0, n_resamples=400)


def seal_of(ledger, *, reopen=False, study="one"):
    return Seal([ledger], "f", study, "last 30 %", "ndcg_at_10 (naive)", repr, reopen)


def open_on(
    *candidates, ledger=None, reopen=False, guardrails=None, replay=PlantedReplay, **planted
):
    terms = Terms(make_settings(), [], guardrails or GuardrailsConfig(), JUDGE)
    return open_sealed_test(
        candidates,
        Replays(partial(replay, **planted), ReplayConfig()),
        terms,
        seal_of(ledger or InMemory(), reopen=reopen),
    )


class WeightedReplay(PlantedReplay):
    """Clicks are weighted; here the weighted metric is the plain one under another name."""

    @property
    def objective(self):
        return planted_objective(key="debiased_ndcg_at_10", estimator="logged")

    def _result(self, settings):
        found = super()._result(settings)
        change = found.metrics["delta_ndcg_at_10"]
        return replace(
            found,
            metrics={**found.metrics, "delta_debiased_ndcg_at_10": change},
            sessions=_twice(found.sessions),
            bystanders=found.bystanders and _twice(found.bystanders),
        )


def open_weighted(replay=WeightedReplay, *, seed=0):
    judge = Judge("debiased_ndcg_at_10", seed=seed, n_resamples=400)
    terms = Terms(make_settings(), [], GuardrailsConfig(), judge)
    return open_sealed_test([GOOD], Replays(replay, ReplayConfig()), terms, seal_of(InMemory()))


def _twice(rows):
    """Rows with their metric under a weighted one's name too."""
    return replace(
        rows,
        before={**rows.before, "debiased_ndcg_at_10": rows.before["ndcg_at_10"]},
        after={**rows.after, "debiased_ndcg_at_10": rows.after["ndcg_at_10"]},
    )
