"""``summary.json``: what it holds, that it comes back, and what is said of a damaged one."""

import json
import math
from dataclasses import replace

import pytest

from experiments.common.errors import InputError
from experiments.study_folder.summary import (
    Summary,
    count_states,
    overheads,
    read_summary,
    write_summary,
)
from tests.experiments import planted_records
from tests.experiments.planted_trials import record, summary


def test_the_summary_has_what_is_promised():
    found = summary([record(0, 0.71, origin="published_defaults"), record(1, 0.75)])
    plain = found.to_dict()
    assert set(plain) >= {
        *("study", "dataset", "objective", "trials", "no_adjustment", "logged_order"),
        *("published_defaults", "popularity", "best", "seconds"),
    }
    assert set(plain["dataset"]) == {"name", "fingerprint", "n_sessions", "n_users"}
    assert plain["trials"] == {"complete": 2, "pruned": 0, "failed": 0}
    assert plain["best"]["metrics"]["ndcg_at_10"] == 0.75
    assert plain["best"]["params"] == {"adjustment_rate": 0.01, "max_drift": None}
    assert plain["seconds"]["per_trial_median"] == 2.0


def test_a_study_without_a_best_has_null():
    assert summary([]).to_dict()["best"] is None
    assert summary([]).seconds.per_trial_median is None


def test_overhead_is_the_time_between_trials_of_one_process_less_the_replay():
    records = [record(0, 0.7), record(1, 0.7), replace(record(2, 0.7), process="two")]
    assert overheads(records) == [pytest.approx(8.0)]


def test_states_are_counted():
    records = [record(0, 0.7), record(1, 0.6, state="pruned"), record(2, None, state="failed")]
    counts = count_states([*records, record(3, 0.5)])
    assert (counts.complete, counts.pruned, counts.failed, counts.total) == (2, 1, 1, 4)


def test_rows_stand_in_the_order_of_the_table():
    found = summary([record(0, 0.71, origin="published_defaults"), record(1, 0.75)])
    names = ["no_adjustment", "logged_order", "popularity", "published_defaults", "best"]
    assert list(found.rows) == names
    assert "best" not in summary([]).rows


def test_a_sealed_summary_has_no_verdict_and_an_opened_one_has():
    found = planted_records.summary()
    assert not {"verdict", "test", "sealed", "baselines"} & set(found.to_dict())
    opened = found.with_sealed(planted_records.sealed())
    assert opened.to_dict()["verdict"]["decision"] == "adopt"
    assert opened.to_dict()["test"]["trial"] == 12
    assert opened.test.trial == 12
    assert found.test is None


@pytest.mark.parametrize("opened", [True, False])
def test_it_comes_back_as_it_was_written(tmp_path, opened):
    found = planted_records.summary()
    if opened:
        found = found.with_sealed(planted_records.sealed(bystanders=False))
    write_summary(tmp_path / "summary.json", found)
    read = read_summary(tmp_path / "summary.json")
    assert read.to_dict() == found.to_dict()
    assert read.seconds == found.seconds
    if opened:
        assert math.isnan(read.test.metrics["reach"]), "null is a number that is not defined"
        assert read.sealed.verdict == found.sealed.verdict


def damaged(tmp_path, change):
    plain = planted_records.summary().with_sealed(planted_records.sealed()).to_dict()
    change(plain)
    path = tmp_path / "summary.json"
    path.write_text(json.dumps(plain))
    return path


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda plain: plain.pop("no_adjustment"), "no_adjustment is missing"),
        (lambda plain: plain.pop("best"), "best is missing"),
        (lambda plain: plain.update(best=3), "best must be a record, got 3"),
        (lambda plain: plain["dataset"].pop("fingerprint"), "dataset.fingerprint is missing"),
        (lambda plain: plain["trials"].update(complete="4"), "trials.complete must be a whole"),
        (lambda plain: plain["popularity"].update(metrics=[]), "must be values by name, got"),
        (
            lambda plain: plain["test"]["evidence"]["gain"].pop("gain"),
            "read: test.evidence.gain.gain is missing",
        ),
        (lambda plain: plain.pop("verdict"), "read: verdict is missing"),
    ],
)
def test_a_damaged_summary_is_named_with_its_fault(tmp_path, change, told):
    path = damaged(tmp_path, change)
    with pytest.raises(InputError) as caught:
        read_summary(path)
    text = str(caught.value)
    assert text.startswith(f"{path} cannot be read: ")
    assert told in text
    assert "\n" not in text


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff\xfe"])
def test_what_is_no_summary_is_refused(tmp_path, content):
    path = tmp_path / "summary.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match="cannot be read"):
        read_summary(path)


def test_a_missing_summary_is_named(tmp_path):
    with pytest.raises(InputError, match="No such file"):
        read_summary(tmp_path / "summary.json")


def test_entries_of_a_later_version_are_left_out(tmp_path):
    path = damaged(tmp_path, lambda plain: plain.update(later={"x": 1}))
    assert "later" not in read_summary(path).to_dict()


def test_a_summary_of_other_numbers_is_another_one():
    found = planted_records.summary()
    assert Summary.from_dict(found.to_dict()).to_dict() == found.to_dict()
    assert replace(found, study="other").to_dict() != found.to_dict()
