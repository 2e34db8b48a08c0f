"""Evidence made by hand: a clear gain, of which tests change one thing at a time."""

from dataclasses import replace

from adjuster.metrics.interval import Interval
from experiments.config.study import GuardrailsConfig
from experiments.judging.clustered_interval import ClusteredInterval
from experiments.judging.comparison import Comparison
from experiments.judging.evidence import Evidence, Power, Rival, Split
from experiments.judging.trend import Trend
from experiments.judging.verdict import Verdict, decide

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
    clustering="users",
    error=0.006,
    n_effective=280.0,
    session_gain=0.020,
    effect_size=0.3,
)
UNHARMED = replace(GAIN, gain=-0.001, low=-0.003, high=0.002)
HARMED = replace(GAIN, gain=-0.04, low=-0.05, high=-0.03, n_sessions=600)


def part(estimate: float, low: float, high: float) -> ClusteredInterval:
    return ClusteredInterval(estimate, Interval(low, high), "users", 0.01, 280.0)


EVIDENCE = Evidence(
    gain=GAIN,
    naive=None,
    weighting=None,
    metrics={"drift_mean": 0.05, "drift_at_log_end": 0.05, "harmed_share": 0.25, "reach": 0.9},
    unidentified="",
    n_needed=90.0,
    unknown_share=0.0,
    crowding=(),
    split=Split(refound=part(0.006, 0.002, 0.010), new=part(0.015, 0.006, 0.024)),
    trend=Trend(late=part(0.02, -0.002, 0.042), change=part(-0.002, -0.03, 0.03)),
    bystanders=UNHARMED,
    silent_share=0.3,
    rivals=(),
    power=Power(detectable=0.017, n_users=280, n_days=30.0, n_needed=170.0),
)


def judged(
    guardrails: GuardrailsConfig | None = None, tune: Comparison = GAIN, **changes: object
) -> Verdict:
    return decide(replace(EVIDENCE, **changes), tune, guardrails or GuardrailsConfig())


def rival(name: str, value: float, gain: float, low: float, high: float) -> Rival:
    return Rival(name, value, replace(GAIN, reference=name, gain=gain, low=low, high=high))
