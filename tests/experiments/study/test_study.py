"""The study: what is run, in which order, what a kill changes (nothing), what is refused."""

import math
import random
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from experiments.common.errors import InputError, Outage
from experiments.config.study import ParameterConfig, SearchSpaceConfig
from experiments.replay.settings import Settings
from experiments.study import study as study_module
from experiments.study.records import best_feasible, best_overall
from experiments.study.search_space import SearchSpace
from experiments.workflow.studies import base_settings, make_study
from experiments.workflow.trials import run_trials
from tests.experiments.fake_replay import (
    FakeReplay,
    Killed,
    make_config,
    open_study,
    run_study,
    told,
)


def killed_at(run: int):
    def on_run(number: int, settings: Settings) -> None:
        if number == run:
            raise Killed

    return FakeReplay(on_run)


def finished(records):
    return [record for record in records if record.outcome is not None]


def test_the_published_defaults_and_profiles_come_first(tmp_path):
    records = run_study(make_config(tmp_path))
    assert [record.origin for record in records[:4]] == [
        "published_defaults",
        "product_search",
        "document_search",
        "sampler",
    ]
    assert records[0].values == {"adjustment_rate": 0.1, "num_iterations": 10}


def test_a_configuration_that_was_given_is_tried_too(tmp_path):
    config = make_config(tmp_path)
    config.adjuster.adjustment_rate = 0.003
    assert run_study(config)[1].origin == "configured"


def test_presets_are_enqueued_on_request_and_each_once(tmp_path):
    config = make_config(tmp_path, enqueue="presets", n_trials=20)
    origins = [record.origin for record in run_study(config) if record.origin != "sampler"]
    assert {"rate_conservative", "iterations_deep", "interval_batch"} <= set(origins)
    assert "rate_balanced" not in origins, "its value is the published default"


def test_nothing_is_enqueued_on_request(tmp_path):
    records = run_study(make_config(tmp_path, enqueue="none"))
    assert {record.origin for record in records} == {"sampler"}


def test_a_start_outside_the_space_is_still_tried(tmp_path):
    config = make_config(tmp_path)
    config.search_space.parameters["adjustment_rate"].high = 1e-2
    first = run_study(config)[0]
    assert first.settings["adjuster"]["adjustment_rate"] == 0.1


def test_the_same_seed_gives_the_same_trials(tmp_path):
    first = run_study(make_config(tmp_path / "a"))
    second = run_study(make_config(tmp_path / "b"))
    assert [told(record) for record in first] == [told(record) for record in second]


def test_another_seed_gives_other_trials(tmp_path):
    first = run_study(make_config(tmp_path / "a"))
    second = run_study(make_config(tmp_path / "b", seed=4))
    assert [r.values for r in first[3:]] != [r.values for r in second[3:]]


def test_a_study_goes_on_to_a_larger_total(tmp_path):
    short = run_study(make_config(tmp_path / "a", n_trials=5))
    longer = run_study(make_config(tmp_path / "a", n_trials=9))
    at_once = run_study(make_config(tmp_path / "b", n_trials=9))
    assert len(short) == 5
    assert [told(record) for record in longer] == [told(record) for record in at_once]


def test_a_study_as_long_as_it_shall_be_runs_nothing(tmp_path):
    run_study(make_config(tmp_path))
    replay = FakeReplay()
    run_study(make_config(tmp_path), replay)
    assert replay.tried == []


@pytest.mark.parametrize(
    ("sampler", "pruner"),
    [
        pytest.param(
            sampler,
            pruner,
            marks=() if sampler == "tpe" or pruner == "wilcoxon" else pytest.mark.slow,
        )
        for pruner in ("wilcoxon", "hyperband", "median")
        for sampler in ("tpe", "forest", "cmaes", "qmc", "random", "grid")
    ],
)
def test_kills_change_nothing_but_leave_their_rows(tmp_path, sampler, pruner):
    def config(folder: str):
        made = make_config(tmp_path / folder, n_trials=14)
        made.sampler.name, made.pruner.name, made.pruner.n_startup_steps = sampler, pruner, 2
        return made

    unbroken = run_study(config("unbroken"))
    for run in (0, 3, 0, 2, 4):
        run_study(config("killed"), killed_at(run))
    resumed = run_study(config("killed"))
    assert [told(record) for record in finished(resumed)] == [told(record) for record in unbroken]
    lost = [record for record in resumed if record.lost]
    assert len(lost) == 5
    assert {record.state for record in lost} == {"failed"}
    assert "process ended" in lost[0].reason


def test_a_lost_trial_is_run_again_first_with_its_parameters(tmp_path):
    run_study(make_config(tmp_path), killed_at(5))
    replay = FakeReplay()
    records = run_study(make_config(tmp_path), replay)
    lost = next(record for record in records if record.lost)
    assert replay.tried[0] == Settings.from_dict(lost.settings)


@pytest.mark.parametrize("end", [KeyboardInterrupt, Outage])
def test_ctrl_c_and_an_outage_give_their_trial_back(tmp_path, end):
    def interrupted(number, settings):
        if number == 4:
            raise end

    study = open_study(make_config(tmp_path))
    with pytest.raises(end):
        run_trials(study, FakeReplay(interrupted), "ndcg_at_10", lambda record: None)
    assert [record.state for record in study.records()] == ["complete"] * 4 + ["failed"]
    assert study.records()[4].lost
    study.close()


@pytest.mark.parametrize("sampler", ["tpe", "random", "qmc", "grid"])
def test_equal_parameters_are_never_run_twice_and_a_small_space_ends(tmp_path, sampler):
    config = make_config(tmp_path, n_trials=50)
    config.sampler.name = sampler
    config.search_space = SearchSpaceConfig(
        {
            "num_iterations": ParameterConfig("int", low=1, high=3),
            "loss": ParameterConfig("categorical", choices=["cubic", "linear"]),
        }
    )
    replay = FakeReplay()
    study = open_study(config)
    study.close()
    run_study(config, replay)
    keys = [settings.key for settings in replay.tried]
    assert len(keys) == len(set(keys))
    tried = {(item.adjuster.num_iterations, item.adjuster.loss) for item in replay.tried}
    assert {(n, loss) for n in (1, 2, 3) for loss in ("cubic", "linear")} <= tried


def test_an_exhausted_space_is_said(tmp_path):
    config = make_config(tmp_path, n_trials=50)
    config.search_space = SearchSpaceConfig(
        {"num_iterations": ParameterConfig("int", low=1, high=2)}
    )
    run_study(config)
    study = open_study(config)
    assert study.claim() is None
    assert study.is_exhausted
    study.close()


def test_settings_that_contradict_each_other_are_not_proposed(tmp_path):
    config = make_config(tmp_path, n_trials=10, enqueue="none")
    config.search_space = SearchSpaceConfig(
        {
            "min_clicks": ParameterConfig("int", low=1, high=9),
            "max_clicks": ParameterConfig("int", low=1, high=9),
        }
    )
    config.sampler.name = "random"
    for record in run_study(config):
        assert record.values["min_clicks"] <= record.values["max_clicks"]


def test_an_exception_fails_its_trial_and_the_study_goes_on(tmp_path):
    def on_run(number: int, settings: Settings) -> None:
        if number == 4:
            raise ValueError("no such thing")

    records = run_study(make_config(tmp_path), FakeReplay(on_run))
    assert records[4].state == "failed"
    assert records[4].reason == "ValueError: no such thing"
    assert records[4].values["adjustment_rate"] > 0
    assert len(finished(records)) == 8


def test_a_failed_trial_counts_and_is_not_run_again(tmp_path):
    def on_run(number: int, settings: Settings) -> None:
        raise ValueError("never")

    run_study(make_config(tmp_path), FakeReplay(on_run))
    replay = FakeReplay()
    assert {record.state for record in run_study(make_config(tmp_path), replay)} == {"failed"}
    assert replay.tried == []


def test_a_value_that_is_not_a_number_fails_its_trial(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.experiments.fake_replay.score", lambda settings: math.nan)
    records = run_study(make_config(tmp_path, n_trials=1))
    assert records[0].state == "failed"
    assert "ndcg_at_10 is nan" in records[0].reason


def test_wilcoxon_prunes_keeps_the_running_mean_and_says_where(tmp_path):
    config = make_config(tmp_path, n_trials=20)
    config.pruner.name, config.pruner.n_startup_steps = "wilcoxon", 4
    records = run_study(config)
    pruned = [record for record in records if record.state == "pruned"]
    assert pruned
    for record in pruned:
        outcome = record.outcome
        assert outcome.pruned_at_block == max(outcome.blocks) >= 3
        assert record.value == pytest.approx(sum(outcome.blocks.values()) / len(outcome.blocks))
        assert record.reason == f"pruned after block {outcome.pruned_at_block} of 8"
        assert not record.is_feasible


def test_pruning_finds_the_same_best(tmp_path):
    whole = run_study(make_config(tmp_path / "a", n_trials=30))
    config = make_config(tmp_path / "b", n_trials=30)
    config.pruner.name = "wilcoxon"
    saved = run_study(config)
    assert best_feasible(saved).value >= best_feasible(whole).value - 0.01


def test_the_published_defaults_are_never_pruned(tmp_path):
    config = make_config(tmp_path)
    config.pruner.name, config.pruner.n_startup_steps = "wilcoxon", 0
    config.pruner.p_threshold = 0.99
    assert run_study(config)[0].state == "complete"


def test_guardrails_are_constraints_and_decide_the_best(tmp_path):
    config = make_config(tmp_path, n_trials=12)
    config.guardrails = replace(config.guardrails, max_mean_drift=0.005)
    records = run_study(config)
    assert best_overall(records).metrics["drift_mean"] > 0.005
    best = best_feasible(records)
    assert best is None or best.metrics["drift_mean"] <= 0.005
    study = open_study(config)
    trial = study.optuna.trials[0]
    assert trial.constraints["max_mean_drift"] == pytest.approx(0.2 - 0.005)
    study.close()


def test_lifted_guardrails_leave_no_constraint(tmp_path):
    config = make_config(tmp_path)
    config.guardrails = replace(config.guardrails, max_mean_drift=None)
    records = run_study(config)
    assert records[0].outcome.constraints == {}
    assert best_feasible(records) == best_overall(records)


def test_a_changed_definition_is_refused_saying_what_differs(tmp_path):
    config = make_config(tmp_path)
    open_study(config, {"replay.seed": 0, "dataset.fingerprint": "abc"}).close()
    with pytest.raises(InputError) as refused:
        open_study(config, {"replay.seed": 1, "dataset.fingerprint": "abc"})
    assert "study.name tiny" in str(refused.value)
    assert "replay.seed was 0, is 1" in str(refused.value)
    assert "fingerprint" not in str(refused.value)


def test_a_study_that_is_being_run_is_refused(tmp_path):
    config = make_config(tmp_path)
    running = open_study(config)
    with pytest.raises(InputError, match="being run by another process"):
        open_study(config)
    running.close()
    open_study(config).close()


def test_trials_of_other_tools_are_left_out(tmp_path):
    config = make_config(tmp_path)
    study = open_study(config)
    study.optuna.add_trial(optuna.trial.create_trial(value=99.0))
    study.close()
    records = run_study(config)
    assert len(records) == 8
    assert best_overall(records).value < 1


def test_a_line_torn_by_a_kill_is_dropped(tmp_path):
    config = make_config(tmp_path)
    before = run_study(config)
    with (tmp_path / "studies" / "tiny.journal").open("ab") as journal:
        journal.write(b'{"op_code":4,"worker_id":"x"')
    longer = run_study(make_config(tmp_path, n_trials=10))
    assert [told(record) for record in longer[:8]] == [told(record) for record in before]
    assert len(longer) == 10


def test_two_processes_claim_different_trials_and_meet_the_total(tmp_path):
    config = make_config(tmp_path)
    first = open_study(config)
    second = open_second(config)
    claims = []
    while True:
        claim = (first if len(claims) % 2 else second).claim()
        if claim is None:
            break
        claims.append(claim)
    assert [claim.number for claim in claims] == list(range(8))
    assert len({claim.settings.key for claim in claims}) == 8
    first.close()
    second.close()


def open_second(config):
    study = make_study(config, SearchSpace.from_config(config.search_space, base_settings(config)))
    study.join()
    return study


SCRIPT = """
import sys, time
from pathlib import Path
from tests.experiments.fake_replay import FakeReplay, make_config, run_study

config = make_config(Path(sys.argv[1]), n_trials=40)
config.pruner.name = "wilcoxon"
print("ready", flush=True)
run_study(config, FakeReplay(lambda number, settings: time.sleep(0.02)))
"""


@pytest.mark.slow
def test_twenty_kills_at_random_moments_lose_no_finished_trial(tmp_path):
    chance = random.Random(7)
    config = make_config(tmp_path / "killed", n_trials=40)
    config.pruner.name = "wilcoxon"
    for _ in range(20):
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "killed")],
            stdout=subprocess.PIPE,
            cwd=Path(__file__).parents[3],
        )
        process.stdout.readline()
        time.sleep(chance.uniform(0.0, 0.35))
        process.send_signal(signal.SIGKILL)
        process.wait()
    resumed = run_study(config)
    unbroken = run_study(replace(config, output_dir=str(tmp_path / "unbroken")))
    assert [told(record) for record in finished(resumed)] == [told(record) for record in unbroken]


def test_an_interrupt_after_the_last_write_leaves_the_trial_finished(tmp_path, monkeypatch):
    """Ctrl-C may come between the write that makes a trial final and the return of `finish`."""
    config = make_config(tmp_path, enqueue="none", n_trials=3)
    study = open_study(config)
    real, calls = study_module.read_record, []

    def once(trial):
        if sys._getframe(1).f_code.co_name == "_finish":
            calls.append(trial.number)
            if len(calls) == 2:
                raise KeyboardInterrupt
        return real(trial)

    monkeypatch.setattr(study_module, "read_record", once)
    with pytest.raises(KeyboardInterrupt):
        run_trials(study, FakeReplay(), "ndcg_at_10", lambda record: None)
    monkeypatch.undo()
    assert [record.state for record in study.records()] == ["complete", "complete"]
    run_trials(study, FakeReplay(), "ndcg_at_10", lambda record: None)
    assert [record.ordinal for record in study.records()] == [0, 1, 2]
    study.close()
