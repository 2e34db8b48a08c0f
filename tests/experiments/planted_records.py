"""Records of finalists, sealed tests and studies with planted numbers."""

from experiments.judging.comparison import Comparison
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
        p_value=0.001,
        p_holm=0.002,
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


def sealed(decision="adopt", *, trial=12, text="NDCG@10 rises.", bystanders=True) -> SealedRecord:
    keeps_off = decision != "adopt"
    sentence = f"{'Keep off' if keeps_off else 'Adopt'}: {text}"
    return SealedRecord(
        Verdict(decision, sentence, (text, "Second reason.") if keeps_off else (), ("A note.",)),
        judged_records.TestRecord(
            trial=trial,
            openings=(trial,),
            optimism=0.01,
            tune=comparison(0.03),
            test=comparison(),
            test_over_defaults=comparison(0.01, effect_size=float("nan")),
            bystanders=comparison(-0.002) if bystanders else None,
            metrics={"ndcg_at_10": 0.72, "drift_mean": 0.1, "reach": float("nan")},
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
    values = {
        "study": "shop",
        "dataset": DATASET,
        "objective": "ndcg_at_10",
        "trials": TrialCounts(complete=4, pruned=0, failed=2),
        "baselines": {"no_adjustment": row, "popularity": row},
        "published_defaults": None,
        "best": ScoredRow({"adjustment_rate": 0.01}, {"ndcg_at_10": 0.79, "reach": 0.9}),
        "seconds": StudySeconds(24.0, 0.4, 0.02),
    }
    return Summary(**{**values, **changed})
