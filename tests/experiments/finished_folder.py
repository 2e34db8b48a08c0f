"""The folder of a finished study with planted figures, and a small click log beside it."""

import json
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from adjuster.index import SearchIndexInfo
from experiments.config.commands import SweepConfig
from experiments.config.data import DatasetConfig
from experiments.config.replay import ReplayConfig
from experiments.config.study import (
    GuardrailsConfig,
    ParameterConfig,
    SearchSpaceConfig,
    StudyConfig,
)
from experiments.data.format.click_log import ClickLog
from experiments.judging.bystanders import Replays
from experiments.judging.comparison import Judge
from experiments.judging.finalists import Candidate, judge_finalists
from experiments.judging.seal import Seal
from experiments.judging.sealed_test import Terms, open_sealed_test
from experiments.judging.tune_gain import TuneGain
from experiments.study_folder.finalist_files import (
    write_finalists,
    write_importances,
    write_sessions,
)
from experiments.study_folder.judged_records import SealedRecord
from experiments.study_folder.summary import (
    DatasetRecord,
    ScoredRow,
    StudySeconds,
    Summary,
    TrialCounts,
    write_summary,
)
from tests.experiments.planted_replay import N_USERS, PlantedReplay, make_settings

METRICS = ("ndcg_at_10", "mrr", "map", "recall_at_10")


def make_log(n_sessions: int = 600, n_shown: int = 4) -> ClickLog:
    """Every session shows objects 0 to 3 and has one click, at its number modulo 4."""
    rng = np.random.default_rng(0)
    sessions = np.arange(n_sessions)
    n_impressions = n_sessions * n_shown
    return ClickLog(
        name="planted <shop> & co",
        index=SearchIndexInfo(2),
        personalize_by="none",
        object_ids=np.array([f"o{i}" for i in range(n_shown)], object),
        object_offsets=np.arange(n_shown + 1),
        object_vectors=rng.normal(size=(n_shown, 2)).astype(np.float32),
        object_is_average=np.zeros(n_shown, bool),
        object_titles=np.array([""] * n_shown, object),
        query_ids=np.array(["q0", "q1", "q2"], object),
        query_offsets=np.arange(4),
        query_vectors=rng.normal(size=(3, 2)).astype(np.float32),
        query_texts=np.array([""] * 3, object),
        user_ids=np.array([f"u{i}" for i in range(N_USERS)], object),
        segments=np.array([], object),
        session_ids=np.array([f"s{i}" for i in sessions], object),
        session_query=(sessions % 3).astype(np.int32),
        session_user=rng.integers(-1, N_USERS, n_sessions).astype(np.int32),
        session_segment=np.full(n_sessions, -1, np.int32),
        session_created_at=1_700_000_000 + 3600 * sessions,
        session_is_irrelevant=np.zeros(n_sessions, bool),
        impression_offsets=np.arange(n_sessions + 1) * n_shown,
        impression_object=np.tile(np.arange(n_shown, dtype=np.int32), n_sessions),
        impression_position=np.tile(np.arange(n_shown, dtype=np.int32), n_sessions),
        impression_relevance=np.full(n_impressions, np.nan, np.float32),
        impression_propensity=np.full(n_impressions, np.nan, np.float32),
        event_impression=sessions * n_shown + sessions % n_shown,
        event_created_at=1_700_000_000 + 3600 * sessions + 5,
        fingerprint="f" * 64,
    )


def make_trials(n_trials: int = 60) -> pd.DataFrame:
    """Trials whose value and drift grow with the rate; every seventh pruned, one failed."""
    rng = np.random.default_rng(1)
    rate = np.geomspace(1e-5, 0.5, n_trials)[rng.permutation(n_trials)]
    state = np.where(np.arange(n_trials) % 7 == 6, "pruned", "complete").astype(object)
    state[11] = "failed"
    frame = pd.DataFrame(
        {
            "number": np.arange(n_trials),
            "state": state,
            "reason": np.where(state == "complete", "", "planted"),
            "value": 0.70 + 0.08 * rate**0.3 + rng.normal(size=n_trials) * 0.003,
            "param_adjustment_rate": rate,
            "param_num_iterations": rng.integers(1, 51, n_trials),
            "param_softmin_temperature": np.exp(rng.uniform(np.log(0.05), np.log(5), n_trials)),
            "drift_mean": np.minimum(2 * rate, 1),
            "drift_at_log_end": np.minimum(2 * rate, 1),
            "harmed_share": 0.2 + rate / 2,
            "reach": 0.9,
            "seconds": 0.4,
        }
    )
    frame["delta_ndcg_at_10"] = frame["value"] - 0.70
    measured = ["drift_mean", "drift_at_log_end", "harmed_share", "reach", "delta_ndcg_at_10"]
    frame.loc[frame["state"] != "complete", measured] = np.nan
    frame.loc[frame["state"] == "failed", "value"] = np.nan
    return frame


def make_config(name: str) -> SweepConfig:
    return SweepConfig(
        dataset=DatasetConfig("movielens"),
        study=StudyConfig(name),
        search_space=SearchSpaceConfig(
            {
                "adjustment_rate": ParameterConfig("float", low=1e-5, high=0.5, log=True),
                "num_iterations": ParameterConfig("int", low=1, high=50),
                "softmin_temperature": ParameterConfig("float", low=0.05, high=5, log=True),
            }
        ),
    )


def metrics_row(value: float, drift: float) -> dict[str, float]:
    return {
        **dict.fromkeys(METRICS, value),
        "delta_ndcg_at_10": value - 0.70,
        "drift_mean": drift,
        "drift_at_log_end": drift,
        "harmed_share": 0.2 if drift else 0.0,
        "reach": 0.9 if drift else 0.0,
    }


def make_summary(name: str, log: ClickLog, trials: pd.DataFrame) -> Summary:
    counts = [int((trials["state"] == state).sum()) for state in ("complete", "pruned")]
    params = {"adjustment_rate": 0.1, "num_iterations": 10, "softmin_temperature": 1.0}

    def row(value: float, drift: float, trial: int | None = None) -> ScoredRow:
        return ScoredRow(params, metrics_row(value, drift), trial)

    return Summary(
        study=name,
        dataset=DatasetRecord.of(log),
        objective="ndcg_at_10",
        trials=TrialCounts(*counts, failed=1),
        baselines={
            "no_adjustment": row(0.70, 0.0),
            "logged_order": row(0.84, 0.0),
            "popularity": row(0.765, 0.0),
        },
        published_defaults=row(0.74, 0.9),
        best=row(0.755, 0.15, 40),
        tune_best=row(0.755, 0.15, 40),
        tune_gain=TuneGain(40, 60, 0.055, 0.05, 0.04, 0.06, 0.95),
        seconds=StudySeconds(24.0, 0.4, 0.03),
    )


def write_finished_study(
    output_dir: Path,
    name: str = "planted",
    *,
    with_test: bool = True,
    gain: float = 0.05,
    test_factor: float = 0.6,
) -> Path:
    """Write what a sweep leaves behind, and with `with_test` what an export adds."""
    folder, log, trials = output_dir / name, make_log(), make_trials()
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(yaml.safe_dump(asdict(make_config(name))))
    trials.to_csv(folder / "trials.csv", index=False)
    replays = Replays(partial(PlantedReplay, test_factor=test_factor), ReplayConfig())
    judge = Judge("ndcg_at_10", seed=0)
    candidates = [
        Candidate(40 + i, make_settings(anchor_weight=gain - 0.003 * i, adjustment_rate=0.1))
        for i in range(5)
    ]
    finalists = judge_finalists(candidates, make_settings(), replays, judge)
    shares = {"adjustment_rate": 0.7, "num_iterations": 0.2, "softmin_temperature": 0.1}
    write_finalists(folder, log, finalists)
    write_importances(folder, shares)
    summary = make_summary(name, log, trials)
    if with_test:
        terms = Terms(make_settings(), [], GuardrailsConfig(), judge)
        seal = Seal([], log.fingerprint, name, "last 30 %", "ndcg_at_10 (naive)", repr)
        opened = open_sealed_test(candidates[:1], replays, terms, seal)
        summary = summary.with_sealed(SealedRecord.of(opened))
        write_sessions(folder, "test", opened.trial, log, opened.test_result.sessions)
    write_summary(folder / "summary.json", summary)
    return folder


def read_summary(folder: Path) -> dict:
    return json.loads((folder / "summary.json").read_text())


def write_three_studies(output_dir: Path) -> Path:
    """A study that adopts, one that keeps off and one whose test is sealed; the folder given."""
    write_finished_study(output_dir, "adopted")
    write_finished_study(output_dir, "refused", test_factor=0.0)
    write_finished_study(output_dir, "sealed", with_test=False)
    return output_dir
