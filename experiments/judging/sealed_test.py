"""The sealed test: later sessions that no trial has seen, opened once to decide."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from experiments.config.study import GuardrailsConfig
from experiments.judging.bystanders import N_FOLDS, Replays, compare_bystanders
from experiments.judging.choice import first_within_drift_bound
from experiments.judging.comparison import (
    Comparison,
    Judge,
    compare_with,
    compare_with_no_adjustment,
    select,
)
from experiments.judging.crowding import crowding
from experiments.judging.evidence import (
    Evidence,
    Rival,
    Weighting,
    power_of,
    rank_rivals,
    split_gain,
    trend_of,
    unknown_share,
    users_needed,
)
from experiments.judging.finalists import DEFAULTS, Candidate
from experiments.judging.looks import look_confidence
from experiments.judging.openings import SCORES, Look, seen_settings
from experiments.judging.optimism import Optimism, optimism
from experiments.judging.seal import Seal
from experiments.judging.verdict import Verdict, decide
from experiments.replay.baseline_names import BASELINES, HEADROOM, LOGGED_ORDER, NO_ADJUSTMENT
from experiments.replay.replayer import Replayer
from experiments.replay.results import ReplayResult
from experiments.replay.settings import Settings

NO_RIVALS = (NO_ADJUSTMENT, HEADROOM)
"""The gain itself is against the first; the second knows the future."""

FLATTERED = "the logged order (flattered: clicks are taken as they are)"


@dataclass(frozen=True)
class Terms:
    """What a study's candidates are judged by.

    Args:
        defaults: The published defaults, one of their rivals.
        unselected: Settings that nobody chose by their score, to tell optimism from hard times.
        guardrails: The bounds.
        judge: What is compared, and how surely over all looks together.
    """

    defaults: Settings
    unselected: Sequence[Settings]
    guardrails: GuardrailsConfig
    judge: Judge


@dataclass(frozen=True)
class SealedTest:
    """What the sealed test said about one trial.

    Args:
        trial: Number of the trial.
        passed_over: Trial → mean drift of those that came before it and break their bound.
        look: Which look at these data it is.
        tune: Its gain over no adjustment on the sessions that it was chosen on.
        evidence: What the test showed.
        optimism: How much of the gain on tune was the luck of being chosen.
        verdict: What to do.
        tune_result: The replay behind `tune`.
        test_result: The replay behind `evidence`.
    """

    trial: int
    passed_over: dict[int, float]
    look: Look
    tune: Comparison
    evidence: Evidence
    optimism: Optimism
    verdict: Verdict
    tune_result: ReplayResult
    test_result: ReplayResult


def open_sealed_test(
    candidates: Sequence[Candidate], replays: Replays, terms: Terms, seal: Seal
) -> SealedTest:
    """Open the sealed test on the first candidate that keeps its drift, and decide.

    Every look is written down before it is taken, so that an interrupted one counts. At the k-th
    look at these data the intervals are those of `look_confidence`: the chance of adopting
    anything for nothing stays what it was for one look.

    Args:
        candidates: Chosen on tune, best first, at least one.
        replays: Replays of the log.
        terms: What they are judged by.
        seal: Where looks at these data are recorded.

    Raises:
        InputError: If the test was opened on something else and the seal does not allow another
            look.
    """
    tune, test = replays.over("tune"), replays.over("test")
    passed_over: dict[int, float] = {}
    candidate = candidates[0]
    if len(candidates) > 1:
        seal.read_drift(candidates)
        candidate, passed_over = first_within_drift_bound(candidates, test, terms.guardrails)
    look = seal.open(candidate)
    strict = _for_look(terms, look)
    tune_result, test_result = tune.run(candidate.settings), test.run(candidate.settings)
    evidence = gather(candidate.settings, test_result, replays, strict)
    tune_gain = compare_with_no_adjustment(tune_result.sessions, terms.judge)
    verdict = decide(evidence, tune_gain, terms.guardrails)
    gaps = [
        _gap(tune.run(other), test.run(other), terms.judge.metric) for other in terms.unselected
    ]
    return SealedTest(
        trial=candidate.trial,
        passed_over=passed_over,
        look=look,
        tune=tune_gain,
        evidence=evidence,
        optimism=optimism(tune_gain.gain - evidence.gain.gain, np.array(gaps)),
        verdict=replace(verdict, notes=(*verdict.notes, *_looks(look))),
        tune_result=tune_result,
        test_result=test_result,
    )


def replays_needed(n_unselected: int) -> int:
    """How many replays `open_sealed_test` makes; one more for each candidate that is passed over.

    Args:
        n_unselected: Settings that nobody chose by their score.
    """
    return 4 + N_FOLDS + 2 * n_unselected


def _for_look(terms: Terms, look: Look) -> Terms:
    """The terms, as sure as this look must be."""
    confidence = look_confidence(look.number, confidence=terms.judge.confidence)
    return replace(terms, judge=replace(terms.judge, confidence=confidence))


def gather(settings: Settings, result: ReplayResult, replays: Replays, terms: Terms) -> Evidence:
    """All that the test shows of one setting.

    Args:
        settings: The setting.
        result: Its replay over the test.
        replays: Replays of the log.
        terms: What it is judged by, its judge as sure as this look must be.
    """
    judge = terms.judge
    test, scores = replays.over("test"), result.sessions
    objective = test.objective
    gain = compare_with_no_adjustment(scores, judge)
    (bystanders,) = compare_bystanders([settings], replays, judge, window="test")
    bias = objective.bias
    return Evidence(
        gain=gain,
        naive=_naive(result, objective.metric, judge),
        weighting=Weighting(bias.effective_clicks, bias.clipped_share) if bias else None,
        metrics=dict(result.metrics),
        unidentified=objective.unidentified,
        n_needed=users_needed(scores, judge.metric, gain.reference_mean),
        unknown_share=unknown_share(scores),
        crowding=crowding(test.traffic(), scores, judge),
        split=split_gain(scores, judge),
        trend=trend_of(scores, judge),
        bystanders=bystanders,
        silent_share=test.silent_share(),
        rivals=_rivals(settings, result, test, terms),
        power=power_of(gain, scores, terms.guardrails.min_gain),
    )


def _naive(result: ReplayResult, metric: str, judge: Judge) -> Comparison | None:
    """The gain with clicks as they are, over the sessions that have one."""
    if metric == judge.metric:
        return None
    clicked = select(result.sessions, ~np.isnan(result.sessions.before[metric]))
    return compare_with_no_adjustment(clicked, replace(judge, metric=metric))


def _rivals(
    settings: Settings, result: ReplayResult, test: Replayer, terms: Terms
) -> tuple[Rival, ...]:
    """What is simpler than the finalist, replayed on the same sessions."""
    found = {
        name: other.sessions
        for name, other in test.baselines(settings).items()
        if name not in NO_RIVALS
    }
    names = dict(BASELINES)
    if test.objective.estimator == "naive":
        names[LOGGED_ORDER] = FLATTERED
    rivals = {names[name]: sessions for name, sessions in found.items()}
    if settings != terms.defaults:
        rivals[DEFAULTS] = test.run(terms.defaults).sessions
    compared = {
        name: compare_with(result.sessions, sessions, terms.judge, name=name)
        for name, sessions in rivals.items()
    }
    return rank_rivals([Rival(name, lead.reference_mean, lead) for name, lead in compared.items()])


def _gap(tune: ReplayResult, test: ReplayResult, metric: str) -> float:
    """Gain on tune less gain on the test."""
    return tune.metrics[f"delta_{metric}"] - test.metrics[f"delta_{metric}"]


def _looks(look: Look) -> list[str]:
    """Says so where these data were looked at more than once."""
    n_seen = len(seen_settings(look.openings))
    if n_seen < 2:
        return []
    seen = [f"trial {x.trial} of {x.study}" for x in look.openings if x.sees == SCORES]
    return [
        f"The test of these data was opened {n_seen} times ({', '.join(seen)}). This is look "
        f"{look.number}; its intervals are widened for as many."
    ]
