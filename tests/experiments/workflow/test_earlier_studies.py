"""What a study starts from: the best of earlier ones, fixed when it is made, its test unseen."""

import csv
import json
import shutil
from dataclasses import replace

import pytest

from experiments.common.errors import InputError
from experiments.config.command import run_command
from experiments.config.replay import ReplayConfig, SplitConfig
from experiments.data.made.simulated import prepare_simulated
from experiments.judging.openings import SCORES, Opening, open_seal
from experiments.study.records import best_feasible, best_overall
from experiments.study_folder.ledger_file import LedgerFile
from experiments.study_folder.plain_data import to_plain
from experiments.sweep import sweep
from experiments.workflow.earlier_studies import LOOKED_AT, TRIED_BEFORE, Span, fixed_at_start
from tests.experiments.fake_replay import (
    FakeReplay,
    Killed,
    make_config,
    open_study,
    run_study,
    told,
)
from tests.experiments.finished_folder import make_log
from tests.experiments.small_sweep import SIZES

OURS = Span("ours", n_tuned=70, begins_at=100, tuned_until=169, tested_from=170, ends_at=199)
LOG = make_log(100)


def span(**values):
    return replace_span(OURS, fingerprint="other", **values)


def replace_span(known, **values):
    return known._replace(**values)


def earlier(tmp_path, name="spring", spans=None, **study):
    """The records of a study that was swept before, on what LOG's studies look at."""
    config = make_config(tmp_path, name=name, **study)
    looked_at = [Span.of(LOG, config.replay)] if spans is None else spans
    return run_study(config, fixed=lambda: {LOOKED_AT: [to_plain(item) for item in looked_at]})


def started(tmp_path, *names, **study):
    """What a new study of LOG keeps."""
    config = make_config(tmp_path, start_from=list(names), **study)
    return fixed_at_start(config, LOG, FakeReplay())


def refused(tmp_path, *names, **study):
    with pytest.raises(InputError) as caught:
        started(tmp_path, *names, **study)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_a_span_is_counted_on_the_log():
    found = Span.of(LOG, ReplayConfig(split=SplitConfig(warmup=0.2, tune=0.5)))
    first = 1_700_000_000
    assert found == Span(
        fingerprint=LOG.fingerprint,
        n_tuned=70,
        begins_at=first,
        tuned_until=first + 69 * 3600,
        tested_from=first + 70 * 3600,
        ends_at=first + 99 * 3600,
    )
    whole = Span.of(LOG, ReplayConfig(split=SplitConfig(warmup=0.5, tune=0.5)))
    assert (whole.n_tuned, whole.tested_from) == (100, None)


@pytest.mark.parametrize(
    ("other", "opened", "reaches"),
    [
        (OURS, False, False),
        (OURS, True, False),
        (replace_span(OURS, n_tuned=69), False, False),
        (replace_span(OURS, n_tuned=71), False, True),
        (span(tuned_until=169), False, False),
        (span(tuned_until=170), False, True),
        (span(tuned_until=150, ends_at=169), True, False),
        (span(tuned_until=150, ends_at=170), True, True),
        (span(begins_at=199, tuned_until=300), False, True),
        (span(begins_at=200, tuned_until=300), False, False),
    ],
)
def test_sessions_of_the_test_may_have_been_seen(other, opened, reaches):
    assert other.reaches_into_test_of(OURS, opened=opened) is reaches


def test_without_a_test_nothing_of_it_was_seen():
    late = span(tuned_until=190)
    assert not late.reaches_into_test_of(replace_span(OURS, tested_from=None), opened=False)


def test_the_best_trial_within_the_guardrails_is_what_a_study_starts_from(tmp_path):
    records = earlier(tmp_path, n_trials=12)
    found = started(tmp_path, "spring")
    assert found["starts"] == {"best of spring": best_feasible(records).settings}
    assert found[LOOKED_AT] == [to_plain(Span.of(LOG, ReplayConfig(n_blocks=8)))]
    assert found[TRIED_BEFORE] == 12


def test_a_better_trial_that_broke_a_guardrail_is_not_started_from(tmp_path):
    config = make_config(tmp_path, name="spring", n_trials=12)
    config.guardrails.max_mean_drift = 0.01
    looked_at = [to_plain(Span.of(LOG, config.replay))]
    records = run_study(config, fixed=lambda: {LOOKED_AT: looked_at})
    best = best_feasible(records)
    assert best_overall(records).number != best.number
    assert started(tmp_path, "spring")["starts"]["best of spring"] == best.settings


def test_nothing_is_read_where_nothing_is_named(tmp_path):
    assert started(tmp_path)["starts"] == {}
    assert not list(tmp_path.iterdir())


def test_interval_and_engine_are_the_new_studys_unless_they_are_searched(tmp_path):
    earlier(tmp_path)
    config = make_config(tmp_path, start_from=["spring"])
    config.adjuster.interval_seconds, config.adjuster.engine = 900, "torch"
    (found,) = fixed_at_start(config, LOG, FakeReplay())["starts"].values()
    assert (found["adjuster"]["interval_seconds"], found["adjuster"]["engine"]) == (900, "torch")
    interval = replace(config.search_space.parameters["num_iterations"], low=300, high=9000)
    config.search_space.parameters["interval_seconds"] = interval
    (found,) = fixed_at_start(config, LOG, FakeReplay())["starts"].values()
    assert found["adjuster"]["interval_seconds"] == 3600


def test_a_study_that_is_not_there_is_asked_back(tmp_path):
    assert "study x has not been swept in" in refused(tmp_path, "x")
    assert not list(tmp_path.iterdir())
    earlier(tmp_path)
    assert refused(tmp_path, "sprng").endswith(f"swept in {tmp_path}; did you mean spring?")
    assert not list(tmp_path.rglob("sprng*"))


def test_a_study_without_an_allowed_trial_is_refused(tmp_path):
    def broken(number, settings):
        raise RuntimeError("out of order")

    config = make_config(tmp_path, name="spring")
    looked_at = [to_plain(OURS)]
    run_study(config, FakeReplay(broken), fixed=lambda: {LOOKED_AT: looked_at})
    assert "no trial of study spring was completed within its guardrails" in refused(
        tmp_path, "spring"
    )


def test_a_study_that_does_not_keep_what_it_looked_at_is_refused_with_a_cure(tmp_path):
    run_study(make_config(tmp_path, name="spring"))
    said = refused(tmp_path, "spring")
    assert "study spring is of an earlier version" in said
    assert "python -m experiments.sweep study.name=spring" in said


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"semantics": "documented"', '"_target_": "os.system"', "adjuster._target_ is not a set"),
        ('"loss": "cubic"', '"loss": "cubix"', "loss must be one of cubic"),
        ('"max_clicks": null', '"max_clicks": "many"', "max_clicks must be"),
        ('"n_tuned": 70', '"n_tuned": "many"', "looked_at.n_tuned must be a whole number"),
        ('"ends_at": 1', '"ends_at": 99999999999999999', "cannot be read"),
        ('"origin": ', '"orign": ', "cannot be read: 'origin'"),
    ],
)
def test_what_was_kept_is_data_and_checked(tmp_path, old, new, fault):
    earlier(tmp_path)
    journal = tmp_path / "studies" / "spring.journal"
    text = "\n".join(json.dumps(json.loads(line)) for line in journal.read_text().splitlines())
    assert old in text
    journal.write_text(text.replace(old, new) + "\n")
    said = refused(tmp_path, "spring")
    assert "study spring" in said
    assert fault in said


def test_what_reaches_into_the_test_is_refused_saying_what_to_do(tmp_path):
    begin = int(LOG.session_created_at[70])
    late = span(begins_at=0, tuned_until=begin, ends_at=begin)
    earlier(tmp_path, spans=[late])
    said = refused(tmp_path, "spring")
    assert "study spring, or one that it started from, looked at sessions up to 2023-11-17" in said
    assert "replay.split.tune" in said


def test_an_opened_test_of_other_data_was_looked_at(tmp_path):
    begin = int(LOG.session_created_at[70])
    earlier(tmp_path, spans=[span(begins_at=0, tuned_until=begin - 1, ends_at=begin)])
    assert started(tmp_path, "spring")["starts"]
    opening = Opening("another", 1, "last 30 %", "mrr", "digest", SCORES, 5)
    open_seal([LedgerFile(tmp_path)], "other", opening, reopen=False)
    assert "its verdict would be flattered" in refused(tmp_path, "spring")


def test_what_a_study_started_from_is_looked_at_too(tmp_path):
    begin = int(LOG.session_created_at[70])
    early, late = span(begins_at=0, tuned_until=5), span(begins_at=0, tuned_until=begin)
    earlier(tmp_path, spans=[early, late])
    assert "or one that it started from" in refused(tmp_path, "spring")


def test_spans_and_trials_of_a_chain_add_up(tmp_path):
    earlier(tmp_path, "spring", spans=[span(begins_at=0, tuned_until=5)])
    kept = started(tmp_path, "spring", name="summer")
    run_study(make_config(tmp_path, name="summer", start_from=["spring"]), fixed=lambda: kept)
    found = started(tmp_path, "summer")
    assert [item["fingerprint"] for item in found[LOOKED_AT]] == [LOG.fingerprint, "other"]
    assert found[TRIED_BEFORE] == 8 + 8


def test_what_was_read_stays_whatever_becomes_of_the_earlier_study(tmp_path):
    earlier(tmp_path)
    config = make_config(tmp_path, start_from=["spring"])
    whole = run_study(config, fixed=lambda: started(tmp_path, "spring"))
    assert [record.origin for record in whole[:2]] == ["best of spring", "published_defaults"]

    def killed(number, settings):
        if number == 0:
            raise Killed

    again = replace(config, study=replace(config.study, name="again"))
    run_study(again, FakeReplay(killed), lambda: started(tmp_path, "spring", name="again"))
    shutil.rmtree(tmp_path / "studies" / ".locks")
    (tmp_path / "studies" / "spring.journal").unlink()
    resumed = run_study(again, fixed=lambda: pytest.fail("it was fixed when it was made"))
    finished = [record for record in resumed if not record.lost]
    assert [told(record) for record in finished] == [told(record) for record in whole]


def test_a_refusal_leaves_nothing_of_the_study_in_its_storage(tmp_path):
    def refuse():
        raise InputError("no")

    config = make_config(tmp_path)
    with pytest.raises(InputError, match="no"):
        open_study(config, fixed=refuse)
    assert (tmp_path / "studies" / "tiny.journal").read_text() == ""
    open_study(config).close()


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    prepare_simulated(folder / "shop", SIZES)
    return folder / "shop"


def run_sweep(shop, output_dir, name, *more):
    arguments = ["dataset=folder", f"dataset.path={shop}", f"output_dir={output_dir}"]
    small = ["tracking=none", "replay.n_blocks=4", f"study.name={name}"]
    return run_command("sweep", sweep, [*arguments, *small, *more])


def rows(output_dir, name):
    table = csv.DictReader((output_dir / name / "trials.csv").open())
    return [{key: value for key, value in row.items() if key != "seconds"} for row in table]


def best_on_tune(output_dir, name):
    summary = json.loads((output_dir / name / "summary.json").read_text())
    return summary["tune_best"]["metrics"][summary["objective"]], summary


FIRST, SECOND = ["study.n_trials=6"], ["study.n_trials=3", "study.start_from=first"]


@pytest.mark.slow
def test_a_second_sweep_tries_the_best_of_the_first_and_is_as_good_in_few_trials(
    shop, tmp_path, capsys
):
    assert run_sweep(shop, tmp_path, "first", *FIRST) == 0
    assert run_sweep(shop, tmp_path, "second", *SECOND, "-v") == 0
    assert "trial 0 (best of first)" in capsys.readouterr().err
    before, _ = best_on_tune(tmp_path, "first")
    after, summary = best_on_tune(tmp_path, "second")
    assert after >= before
    assert summary["tune_gain"]["n_trials"] == 9, "corrected for the first study's choice too"
    assert run_sweep(shop, tmp_path, "second", "study.start_from=third") == 2
    assert "study.start_from was ['first'], is ['third']" in capsys.readouterr().err


@pytest.mark.slow
def test_sweeps_that_start_from_another_repeat_and_go_on_without_it(shop, tmp_path):
    assert run_sweep(shop, tmp_path, "first", *FIRST) == 0
    for name in ("second", "third"):
        assert run_sweep(shop, tmp_path, name, *SECOND) == 0
    assert rows(tmp_path, "third") == rows(tmp_path, "second")
    (tmp_path / "studies" / "first.journal").unlink()
    assert run_sweep(shop, tmp_path, "second", *SECOND[1:], "study.n_trials=5") == 0
    assert rows(tmp_path, "second")[:3] == rows(tmp_path, "third")


def test_a_sweep_that_may_not_start_leaves_nothing(shop, tmp_path, capsys):
    assert run_sweep(shop, tmp_path / "out", "second", "study.start_from=first") == 2
    assert "study first has not been swept" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_workers_start_from_the_same(shop, tmp_path):
    assert run_sweep(shop, tmp_path, "first", "study.n_trials=6") == 0
    more = ["study.n_trials=6", "study.start_from=first", "study.workers=2", "study.enqueue=none"]
    assert run_sweep(shop, tmp_path, "second", *more) == 0
    best = max(rows(tmp_path, "first"), key=lambda row: float(row["value"]))
    assert rows(tmp_path, "second")[0]["value"] == best["value"]
