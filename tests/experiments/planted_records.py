"""Records of finalists, sealed tests and studies with planted numbers."""

from adjuster.metrics.interval import Interval
from experiments.judging.clustered_interval import ClusteredInterval
from experiments.judging.comparison import Comparison
from experiments.judging.crowding import Crowd
from experiments.judging.evidence import Evidence, Power, Rival, Split, Weighting
from experiments.judging.openings import SCORES, Opening
from experiments.judging.optimism import Optimism
from experiments.judging.trend import Trend
from experiments.judging.tune_gain import TuneGain
from experiments.judging.verdict import Verdict
from experiments.study_folder import judged_records
from experiments.study_folder.best_yaml import Provenance
from experiments.study_folder.judged_records import FinalistRecord, SealedRecord
from experiments.study_folder.summary import (
    DatasetRecord,
    ScoredRow,
    StudySeconds,
    Summary,
    TrialCounts,
)
from tests.experiments.planted_replay import make_settings

DATASET = DatasetRecord("shop", "f" * 64, 600, 120)


def comparison(gain=0.02, *, low=None, high=None, effect_size=0.4) -> Comparison:
    return Comparison(
        metric="ndcg_at_10",
        reference="no adjustment",
        n_sessions=600,
        n_clusters=120,
        n_users=120,
        n_changed=110,
        reference_mean=0.70,
        mean=0.70 + gain,
        gain=gain,
        low=gain - 0.01 if low is None else low,
        high=gain + 0.01 if high is None else high,
        confidence=0.95,
        clustering="users",
        error=0.005,
        n_effective=120.0,
        session_gain=gain,
        effect_size=effect_size,
    )


def finalist(trial=12, **changed) -> FinalistRecord:
    values = {
        "settings": make_settings(anchor_weight=0.05),
        "metrics": {"ndcg_at_10": 0.72, "drift_mean": 0.1},
        "gain": comparison(),
        "gain_over_defaults": comparison(0.01),
        "bystanders": comparison(-0.002),
    }
    return FinalistRecord(trial=trial, **{**values, **changed})


def part(estimate) -> ClusteredInterval:
    ends = Interval(estimate - 0.01, estimate + 0.01)
    return ClusteredInterval(estimate, ends, "users", 0.005, 120.0)


def evidence(**changed) -> Evidence:
    values = {
        "gain": comparison(),
        "naive": comparison(0.03),
        "weighting": Weighting(1234.5, 0.02),
        "metrics": {"ndcg_at_10": 0.72, "drift_mean": 0.1, "reach": float("nan")},
        "unidentified": "",
        "n_needed": 40.0,
        "unknown_share": 0.01,
        "crowding": (Crowd("One query stands behind 30% of the clicks", comparison(0.015)),),
        "split": Split(refound=part(0.015), new=part(0.005), lasting=part(0.01)),
        "trend": Trend(part(0.018), part(-0.002)),
        "bystanders": comparison(-0.002),
        "silent_share": 0.3,
        "rivals": (
            Rival("popularity", 0.75, comparison(-0.03)),
            Rival("the published defaults", 0.71, comparison(0.01, effect_size=float("nan"))),
        ),
        "power": Power(0.014, 120, 9.0, float("inf")),
    }
    return Evidence(**{**values, **changed})


def opening(trial=12, *, study="shop", setting="a" * 64) -> Opening:
    return Opening(study, trial, "last 30 %", "ndcg_at_10 (naive)", setting, SCORES, 1_700_000_000)


def sealed(decision="adopt", *, trial=12, text="NDCG@10 rises.", bystanders=True) -> SealedRecord:
    opposes = decision != "adopt"
    sentence = f"{decision.capitalize()}: {text}"
    return SealedRecord(
        Verdict(decision, sentence, (text, "Second reason.") if opposes else (), ("A note.",)),
        judged_records.TestRecord(
            trial=trial,
            look=1,
            openings=(opening(trial),),
            optimism=Optimism(0.01, 0.004, 0.006, 0.001),
            tune=comparison(0.03),
            evidence=evidence(bystanders=comparison(-0.002) if bystanders else None),
        ),
    )


def provenance(study="shop", *, decision="adopt", trial=12, text="NDCG@10 rises.") -> Provenance:
    return Provenance(
        study=study,
        trial=trial,
        dataset=DatasetRecord(study, "f" * 64, 600, 120),
        objective="ndcg_at_10",
        metrics={"ndcg_at_10": 0.72, "before_ndcg_at_10": 0.7, "mrr": float("nan")},
        versions={"torch": "2"},
        sealed=sealed(decision, trial=trial, text=text),
    )


def summary(**changed) -> Summary:
    row = ScoredRow({}, {"ndcg_at_10": 0.70, "reach": 0.0})
    best = ScoredRow({"adjustment_rate": 0.01}, {"ndcg_at_10": 0.79, "reach": 0.9}, 12)
    values = {
        "study": "shop",
        "dataset": DATASET,
        "objective": "ndcg_at_10",
        "trials": TrialCounts(complete=4, pruned=0, failed=2),
        "baselines": {"no_adjustment": row, "popularity": row},
        "published_defaults": None,
        "best": best,
        "tune_best": best,
        "tune_gain": TuneGain(12, 6, 0.09, 0.08, 0.05, 0.11, 0.95),
        "seconds": StudySeconds(24.0, 0.4, 0.02),
    }
    return Summary(**{**values, **changed})
