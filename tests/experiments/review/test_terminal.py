"""What a sweep and an export print."""

from dataclasses import replace

from experiments.review.terminal import (
    finalist_table,
    guardrail_notes,
    result_table,
    sealed_text,
)
from tests.experiments.planted_records import finalist, sealed
from tests.experiments.planted_records import summary as planted_summary
from tests.experiments.planted_trials import record, summary


def test_a_higher_trial_that_broke_a_guardrail_is_shown_with_its_gain():
    records = [record(0, 0.75), record(1, 0.78, drift=0.9)]
    (note,) = guardrail_notes("ndcg_at_10", records, summary(records).best)
    assert "Trial 1 is higher at .780, +.030 over the best" in note
    assert "mean drift by the end of the log .900 over guardrails.max_mean_drift=0.2" in note
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


def test_a_lead_that_rounds_to_nothing_is_not_shown():
    records = [record(0, 0.75), record(1, 0.7502, drift=0.9)]
    (note,) = guardrail_notes("ndcg_at_10", records, summary(records).best)
    assert "over the best" not in note


def test_no_finalists_make_no_table():
    assert finalist_table([]) == ""


def test_a_row_a_finalist_with_both_references_and_bystanders():
    lines = finalist_table([finalist(7), finalist(12)]).splitlines()
    assert lines[0].split("  ")[0] == "finalists"
    assert lines[1].startswith("trial 7 ")
    assert lines[2].startswith("trial 12 ")
    assert "+.020 (+.010 to +.030)" in lines[1]
    assert "-.002 (-.012 to +.008)" in lines[1]
    assert len({line.index("(") for line in lines[1:3]}) == 1, "columns are aligned"


def test_unscored_bystanders_are_said():
    table = finalist_table([finalist(bystanders=None)])
    assert table.splitlines()[1].endswith("none scored")


def test_the_sealed_text_holds_verdict_gains_and_optimism():
    opened = planted_summary().with_sealed(sealed("keep off"))
    lines = sealed_text(opened, best=12, remarks=["A remark."]).splitlines()
    assert lines[0] == "Keep off: NDCG@10 rises."
    assert lines[1:5] == ["- Second reason.", "- A note.", "- A remark.", ""]
    assert lines[5].startswith("gain on the sealed test")
    assert lines[6].startswith("over no adjustment (.700)")
    assert lines[6].endswith("+.020 (+.010 to +.030)")
    assert "unselected trials by +.004" in lines[-1]


def test_the_sealed_text_says_that_another_trial_is_the_best():
    text = sealed_text(planted_summary().with_sealed(sealed()), best=3)
    assert "- The verdict is on trial 12; the best on the tune sessions is trial 3." in text


def test_a_baseline_that_was_not_scored_has_no_row():
    found = summary([record(0, 0.75)])
    found = replace(found, baselines={"no_adjustment": found.no_adjustment})
    assert "popularity" not in result_table(found, [record(0, 0.75)])
