"""The table's first line answers; the rest shows why."""

from dataclasses import replace

import pytest

from experiments.review.terminal import answer, guardrail_notes, result_table
from experiments.study.records import BaselineRecord, Outcome, TrialRecord
from experiments.study_folder.summary import overheads, summarize
from tests.experiments.finished_folder import make_log

METRICS = {"mrr": 0.5, "map": 0.5, "recall_at_10": 0.5, "harmed_share": 0.1, "reach": 0.9}


def record(number, value, drift=0.05, *, state="complete", origin="sampler", reason=""):
    metrics = {**METRICS, "ndcg_at_10": value, "drift_mean": drift} if state == "complete" else {}
    outcome = Outcome(
        state,
        reason=reason,
        value=value,
        metrics=metrics,
        constraints={"max_mean_drift": drift - 0.2} if metrics else {},
        seconds={"total": 2.0},
    )
    return TrialRecord(
        number=number,
        ordinal=number,
        origin=origin,
        values={"adjustment_rate": 0.01, "max_drift": None},
        settings={},
        outcome=outcome,
        lost=False,
        started=10.0 * number,
        finished=10.0 * number + 3,
        process="one",
    )


def baseline(name, value):
    metrics = {**METRICS, "ndcg_at_10": value, "drift_mean": 0.0, "reach": 0.0}
    return BaselineRecord(name, {}, metrics)


def summary(records, popularity=0.5):
    values = {"no_adjustment": 0.7, "logged_order": 0.9, "popularity": popularity}
    return summarize(
        study="tiny",
        log=make_log(40),
        objective="ndcg_at_10",
        records=records,
        baselines={name: baseline(name, value) for name, value in values.items()},
        total_seconds=5.0,
    )


def test_a_gain_is_worth_turning_on_and_says_with_which_settings():
    line = answer(summary([record(0, 0.75)]))
    assert line.startswith("Worth turning on: NDCG@10 .700 → .750")
    assert "adjustment_rate=0.01" in line


def test_no_gain_is_keep_off():
    assert answer(summary([record(0, 0.69)])).startswith("Keep adjustment off")


def test_nothing_within_the_guardrails_is_keep_off():
    assert "no trial ended within the guardrails" in answer(summary([record(0, 0.75, drift=0.9)]))


def test_a_baseline_that_beats_the_best_is_said_first():
    line = answer(summary([record(0, 0.75)], popularity=0.8))
    assert "but popularity beats it" in line
    assert ".800" in line


def test_the_logged_order_is_no_such_baseline():
    assert "logged" not in answer(summary([record(0, 0.75)]))


def test_reach_zero_is_said_in_words():
    unreached = record(0, 0.7)
    unreached.outcome.metrics["reach"] = 0.0
    assert "reach is 0" in answer(summary([unreached]))


def test_a_higher_trial_that_broke_a_guardrail_is_shown_with_its_gain():
    records = [record(0, 0.75), record(1, 0.78, drift=0.9)]
    (note,) = guardrail_notes("ndcg_at_10", records, summary(records)["best"])
    assert "Trial 1 is higher at .780, +.030 over the best" in note
    assert "drift mean .900 over guardrails.max_mean_drift=0.2" in note
    assert guardrail_notes("ndcg_at_10", records[:1], None) == []


def test_the_table_has_a_row_for_everything_and_counts_the_trials():
    records = [
        record(0, 0.71, drift=0.9, origin="published_defaults"),
        record(1, 0.75),
        record(2, 0.6, state="pruned", reason="pruned after block 3 of 20"),
        record(3, None, state="failed", reason="ValueError: x"),
    ]
    table = result_table(summary(records), records)
    for row in ("no adjustment", "logged order *", "popularity", "published defaults", "best"):
        assert f"\n{row}" in table
    assert "4 trials: 2 complete, 1 pruned, 1 failed." in table
    assert "ValueError: x" in table
    lines = table.splitlines()
    grid = [line for line in lines if line.startswith(("no adj", "logged order", "best"))]
    assert len({len(line) for line in grid}) == 1, "columns stand below each other"


def test_the_summary_has_what_is_promised():
    found = summary([record(0, 0.71, origin="published_defaults"), record(1, 0.75)])
    assert set(found) >= {
        *("study", "dataset", "objective", "trials", "no_adjustment", "logged_order"),
        *("published_defaults", "popularity", "best", "seconds"),
    }
    assert set(found["dataset"]) == {"name", "fingerprint", "n_sessions", "n_users"}
    assert found["trials"] == {"complete": 2, "pruned": 0, "failed": 0}
    assert found["best"]["metrics"]["ndcg_at_10"] == 0.75
    assert found["best"]["params"] == {"adjustment_rate": 0.01, "max_drift": None}
    assert found["seconds"]["per_trial_median"] == 2.0


def test_a_study_without_a_best_has_null():
    assert summary([])["best"] is None
    assert summary([])["seconds"]["per_trial_median"] is None


def test_overhead_is_the_time_between_trials_of_one_process_less_the_replay():
    records = [record(0, 0.7), record(1, 0.7), replace(record(2, 0.7), process="two")]
    assert overheads(records) == [pytest.approx(8.0)]
