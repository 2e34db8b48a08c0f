"""The verdict's rule: each thing that must hold, alone."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.config.study import GuardrailsConfig
from experiments.judging.comparison import Comparison, Judge, compare_with_no_adjustment
from experiments.judging.verdict import ADOPT, KEEP_OFF, MIN_CHANGED, MIN_CLUSTERS, decide
from experiments.replay.results import SessionScores

GAIN = Comparison(
    metric="ndcg_at_10",
    reference="no adjustment",
    n_sessions=2900,
    n_clusters=280,
    n_users=280,
    n_changed=250,
    reference_mean=0.701,
    mean=0.722,
    gain=0.021,
    low=0.010,
    high=0.033,
    confidence=0.95,
    p_value=0.0005,
    p_holm=0.0005,
    effect_size=0.3,
)
METRICS = {"drift_mean": 0.05, "harmed_share": 0.25, "reach": 0.9}
UNHARMED = replace(GAIN, gain=-0.004, low=-0.010, high=0.002)
HARMED = replace(GAIN, gain=-0.02, low=-0.03, high=-0.01, n_sessions=600)


def test_a_clear_gain_within_the_guardrails_is_adopted():
    verdict = decide(GAIN, METRICS, GuardrailsConfig(), UNHARMED)
    assert verdict.decision == ADOPT
    assert verdict.adopts
    assert verdict.reasons == ()
    assert verdict.notes == ()
    assert verdict.sentence == (
        "Adopt: NDCG@10 on the sealed test rises by +.021 (95 % interval +.010 to +.033, "
        "280 users), from .701 to .722, at a mean drift of .050."
    )


@pytest.mark.parametrize("low", [0.0, -0.001])
def test_an_interval_that_includes_zero_keeps_off(low):
    verdict = decide(replace(GAIN, low=low), METRICS, GuardrailsConfig(), UNHARMED)
    assert verdict.decision == KEEP_OFF
    assert verdict.reasons == ("The interval of the gain includes 0: it may be chance.",)
    assert verdict.sentence.startswith(
        "Keep off: the interval of the gain includes 0: it may be chance; NDCG@10 on"
    )


def test_a_clear_loss_says_so():
    loss = replace(GAIN, gain=-0.02, low=-0.03, high=-0.01, mean=0.681)
    verdict = decide(loss, METRICS, GuardrailsConfig(), UNHARMED)
    assert verdict.decision == KEEP_OFF
    assert "clearly falls" in verdict.reasons[0]
    assert verdict.sentence.startswith("Keep off: the interval of the gain lies below 0: NDCG@10")
    assert "falls by -.020" in verdict.sentence


def test_too_few_users_keep_off_however_large_the_gain():
    few = replace(GAIN, n_clusters=MIN_CLUSTERS - 1, n_users=MIN_CLUSTERS - 1)
    verdict = decide(few, METRICS, GuardrailsConfig(), UNHARMED)
    assert verdict.decision == KEEP_OFF
    assert f"{MIN_CLUSTERS - 1} users" in verdict.reasons[0]
    enough = replace(GAIN, n_clusters=MIN_CLUSTERS, n_users=MIN_CLUSTERS)
    assert decide(enough, METRICS, GuardrailsConfig(), UNHARMED).adopts


def test_too_few_changed_users_keep_off():
    verdict = decide(
        replace(GAIN, n_changed=MIN_CHANGED - 1), METRICS, GuardrailsConfig(), UNHARMED
    )
    assert verdict.decision == KEEP_OFF
    assert "Results changed for 9 of 280 users;" in verdict.reasons[0]


def test_reach_zero_is_said_in_words():
    verdict = decide(replace(GAIN, low=0), {**METRICS, "reach": 0.0}, GuardrailsConfig(), None)
    assert verdict.decision == KEEP_OFF
    assert verdict.reasons == (
        "No scored session showed an adjusted object (reach 0), so nothing could change.",
    )


def test_drift_above_the_guardrail_keeps_off_and_null_lifts_it():
    far = {**METRICS, "drift_mean": 0.9}
    verdict = decide(GAIN, far, GuardrailsConfig(), UNHARMED)
    assert verdict.reasons == ("Mean drift is .900, above guardrails.max_mean_drift of .200.",)
    assert decide(GAIN, far, GuardrailsConfig(max_mean_drift=None), UNHARMED).adopts


def test_drift_at_the_guardrail_is_kept_and_nan_is_not():
    edge = {**METRICS, "drift_mean": 0.2}
    assert decide(GAIN, edge, GuardrailsConfig(), UNHARMED).adopts
    unknown = {**METRICS, "drift_mean": float("nan")}
    assert not decide(GAIN, unknown, GuardrailsConfig(), UNHARMED).adopts


def test_harmed_share_above_the_guardrail_keeps_off():
    verdict = decide(GAIN, METRICS, GuardrailsConfig(max_harmed_share=0.2), UNHARMED)
    assert verdict.reasons == (
        "The share of harmed sessions is .250, above guardrails.max_harmed_share of .200.",
    )


def test_a_clear_loss_on_bystanders_keeps_off_unless_only_reported():
    verdict = decide(GAIN, METRICS, GuardrailsConfig(), HARMED)
    assert verdict.decision == KEEP_OFF
    assert verdict.reasons[0].startswith("Queries that gave no feedback lose: NDCG@10 -.020")
    reported = decide(GAIN, METRICS, GuardrailsConfig(bystanders="report"), HARMED)
    assert reported.adopts
    assert "guardrails.bystanders=report" in reported.notes[0]


def test_bystanders_whose_interval_ends_at_zero_may_have_lost_nothing():
    edge = replace(HARMED, high=0.0)
    assert decide(GAIN, METRICS, GuardrailsConfig(), edge).adopts


def test_unmeasured_bystanders_are_noted():
    assert "No bystanders were measured" in decide(GAIN, METRICS, GuardrailsConfig()).notes[0]


def test_sessions_of_unknown_users_are_not_called_users():
    mixed = decide(replace(GAIN, n_users=200), METRICS, GuardrailsConfig(), UNHARMED)
    assert "200 users and 80 sessions of unknown users" in mixed.sentence
    assert "taken for independent" in mixed.notes[0]
    unknown = decide(replace(GAIN, n_users=0), METRICS, GuardrailsConfig(), UNHARMED)
    assert "+.033, 280 sessions of unknown users)" in unknown.sentence


def test_every_reason_is_given():
    verdict = decide(
        replace(GAIN, low=-0.01),
        {"drift_mean": 0.5, "harmed_share": 0.6, "reach": 1.0},
        GuardrailsConfig(max_harmed_share=0.5),
        HARMED,
    )
    assert len(verdict.reasons) == 4


def simulated_log(rng: np.random.Generator, effect: float, n_users: int) -> SessionScores:
    """Users of unequal length; a third of their sessions change, symmetrically about 3 effects."""
    user = np.repeat(np.arange(n_users), rng.geometric(0.15, n_users))
    before = rng.choice([1.0, 0.63, 0.5, 0.43, 0.39, 0.0], len(user))
    moved = rng.random(len(user)) < 1 / 3
    shift = rng.normal(size=len(user)) * 0.2 + effect * 3 + rng.normal(size=n_users)[user] * 0.05
    change = np.where(moved, np.clip(shift, -0.6, 0.6), 0.0)
    columns = {"ndcg_at_10": before}
    return SessionScores(
        session=np.arange(len(user)),
        owner=user,
        user=user,
        query=np.zeros(len(user), np.int64),
        created_at=np.arange(len(user)),
        reached=moved,
        before=columns,
        after={"ndcg_at_10": before + change},
        refound=np.zeros(len(user)),
    )


def count_adopted(effect: float, n_users: int, n_logs: int) -> int:
    rng = np.random.default_rng(77)
    return sum(
        decide(
            compare_with_no_adjustment(
                simulated_log(rng, effect, n_users), Judge("ndcg_at_10", seed=i, n_resamples=1000)
            ),
            METRICS,
            GuardrailsConfig(),
            UNHARMED,
        ).adopts
        for i in range(n_logs)
    )


@pytest.mark.parametrize("n_users", [20, 60, 300])
def test_logs_without_an_effect_are_hardly_ever_adopted(n_users):
    assert count_adopted(0.0, n_users, n_logs=200) <= 10


def test_logs_with_an_effect_are_adopted():
    assert count_adopted(0.02, 300, n_logs=40) >= 38


def test_a_gain_without_a_lower_end_is_never_adopted():
    verdict = decide(replace(GAIN, low=np.nan), METRICS, GuardrailsConfig(), UNHARMED)
    assert verdict.decision == KEEP_OFF
    assert "has no lower end" in verdict.reasons[0]
    assert "interval undetermined to +.033" in verdict.sentence


def test_bystanders_whose_loss_has_no_upper_end_are_no_clear_loss():
    open_ended = replace(HARMED, high=np.nan)
    assert decide(GAIN, METRICS, GuardrailsConfig(), open_ended).decision == ADOPT
