"""What the data can tell, from a log to the first lines of a sweep and to the data card."""

import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjuster.config import AdjusterConfig
from adjuster.selection import SelectionConfig
from experiments.config.command import run_command
from experiments.config.data import SimulatedConfig
from experiments.config.replay import ObjectiveConfig, ReplayConfig, SplitConfig
from experiments.data.format.folder import load_click_log
from experiments.data.made.kinds import KINDS
from experiments.data.made.simulated import prepare_simulated
from experiments.inspect import inspect
from experiments.judging.outlook import Outlook
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from experiments.review.outlook import HOPELESS, outlook_lines
from experiments.study_folder.plain_data import from_plain, to_plain
from experiments.sweep import sweep
from experiments.workflow.outlook import kept_outlook, outlook_of
from tests.experiments.random_log import make_log

BASE = Settings(AdjusterConfig(interval_seconds=600), SelectionConfig())
SHARED = ReplayConfig(personalize_by="none", n_blocks=2)


def outlook_on(log, estimator="auto", config=SHARED) -> Outlook:
    replay = Replay(lay_out(log, config, ObjectiveConfig(estimator=estimator)))
    return outlook_of(replay, BASE, 0.005)


def with_other_clicks_in_the_test(log, seed: int):
    """Each click of the test on another result of its session; sessions and counts stay."""
    rng = np.random.default_rng(seed)
    first = log.impression_offsets[round(log.n_sessions * 0.7)]
    sessions = np.repeat(np.arange(log.n_sessions), np.diff(log.impression_offsets))
    events = log.event_impression.copy()
    for number in np.flatnonzero(events >= first):
        session = sessions[events[number]]
        begin, end = log.impression_offsets[session : session + 2]
        events[number] = rng.integers(begin, end)
    order = np.lexsort((log.event_created_at, events))
    times = log.event_created_at[order]
    return replace(log, event_impression=events[order], event_created_at=times)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), estimator=st.sampled_from(["auto", "naive", "estimated"]))
def test_nothing_of_the_test_is_looked_at_but_counts(seed, estimator):
    log = make_log(seed % 7, n_sessions=90, span_seconds=300_000)
    other = with_other_clicks_in_the_test(log, seed)
    assert str(outlook_on(log, estimator)) == str(outlook_on(other, estimator))


def test_judgements_of_the_test_are_counted_not_weighed():
    log = make_log(3, n_sessions=90, span_seconds=300_000)
    first = log.impression_offsets[round(log.n_sessions * 0.7)]
    grades = log.impression_relevance.copy()
    grades[first:] = np.where(grades[first:] > 0, 3 - grades[first:], 0)
    other = replace(log, impression_relevance=grades)
    assert str(outlook_on(log, "judged")) == str(outlook_on(other, "judged"))


def test_a_judged_log_says_how_many_sessions_have_a_relevant_result():
    log = make_log(3, n_sessions=100, span_seconds=300_000)
    sessions = np.repeat(np.arange(100), np.diff(log.impression_offsets))
    relevance = np.where(sessions >= 85, 0.0, log.impression_relevance).astype(np.float32)
    log = replace(log, impression_relevance=relevance)
    good = len(np.unique(sessions[(relevance > 0) & (sessions >= 70)]))
    found = outlook_on(log, "judged")
    assert 5 < good <= 15
    assert (found.test.n_sessions, found.test.n_scorable) == (30, good)
    line = outlook_lines(found)[2]
    assert f"{good} of 30 sessions" in line
    assert f"{30 - good} show no relevant result" in line


def test_an_outlook_survives_its_file():
    outlook = outlook_on(make_log(1, n_sessions=90))
    kept = json.loads(json.dumps(to_plain(outlook), allow_nan=False))
    assert str(from_plain(Outlook, kept, "outlook")) == str(outlook)


def test_a_setting_that_diverges_leaves_the_test_unknown_and_the_oracles(monkeypatch):
    replay = Replay(lay_out(make_log(1, n_sessions=90), SHARED, ObjectiveConfig()))

    def diverge(settings):
        raise FloatingPointError

    monkeypatch.setattr(replay, "run", diverge)
    found = outlook_of(replay, BASE, 0.005)
    assert found.reference == ""
    assert np.isnan(found.detectable.gain)
    assert np.isfinite(found.headroom)


def test_without_a_warmup_the_published_defaults_stand_in():
    log, split = make_log(1, n_sessions=90), SplitConfig(warmup=0.0, tune=0.5)
    found = outlook_on(log, config=replace(SHARED, split=split))
    assert found.reference == "published defaults"
    assert np.isfinite(found.detectable.gain)
    assert outlook_on(log).reference == "recommended settings"


def test_a_study_keeps_its_outlook():
    kept = {}
    study = SimpleNamespace(base=BASE, attribute=kept.get, set_attribute=kept.__setitem__)
    replay = Replay(lay_out(make_log(1, n_sessions=90), SHARED, ObjectiveConfig()))
    first = kept_outlook(study, replay, 0.005)
    assert str(kept_outlook(study, None, 0.005)) == str(first)


def kind_log(name, tmp_path):
    kind = next(kind for kind in KINDS if kind.name == name)
    prepare_simulated(tmp_path / "log", kind.config)
    return load_click_log(tmp_path / "log"), kind.personalize_by


@pytest.mark.parametrize(
    ("name", "obstacles"),
    [
        ("fixed order", {"unidentified"}),
        ("five people", {"few users"}),
        ("five people, no user ids", {"unknown users"}),
        ("position alone, shared", {"no headroom"}),
        ("shared effect, decay 1", set()),
        ("per-user effect, decay 1", set()),
    ],
)
def test_logs_of_which_the_truth_is_known_are_foreseen(name, obstacles, tmp_path):
    log, scope = kind_log(name, tmp_path)
    found = outlook_on(log, config=ReplayConfig(personalize_by=scope))
    assert set(found.obstacles) >= obstacles
    assert bool(found.obstacles) == bool(obstacles)
    assert (found.headroom > 0.02) == (obstacles != {"no headroom"})
    if name == "fixed order":
        assert found.movement.n_moved == 0
        assert "random order, or swap neighbouring results" in outlook_lines(found)[0]


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "shop"
    sizes = SimulatedConfig(
        n_sessions=400, n_users=12, n_objects=60, n_topics=3, n_queries=12, n_shown=8, dimensions=8
    )
    prepare_simulated(folder, sizes)
    return folder


@pytest.mark.slow
def test_a_sweep_says_it_first_again_when_resumed_and_the_card_says_the_same(
    shop, tmp_path, capsys
):
    arguments = [
        "dataset=folder",
        f"dataset.path={shop}",
        f"output_dir={tmp_path}",
        "study.name=shop",
        "tracking=none",
    ]
    said = []
    for n_trials in (1, 2):
        assert run_command("sweep", sweep, [*arguments, f"study.n_trials={n_trials}"]) == 0
        lines = capsys.readouterr().out.splitlines()
        end = next(n for n, line in enumerate(lines) if line.startswith(HOPELESS))
        said.append(lines[: end + 1])
    assert said[0] == said[1]
    assert len(said[0]) == 5
    assert said[0][-1].startswith(f"{HOPELESS}: 12 users on the test, at least 20 needed")

    assert run_command("inspect", inspect, [f"dataset.path={shop}", f"output_dir={tmp_path}"]) == 0
    card = tmp_path / "cards" / load_click_log(shop).name
    text, page = capsys.readouterr().out, (card / "card.html").read_text()
    content = json.loads((card / "card.json").read_text())
    assert content["outlook_lines"] == said[0]
    assert from_plain(Outlook, content["outlook"], "outlook").test.n_sessions == 120
    assert "What this data can tell" in text
    assert "What this data can tell" in page
    assert all(line in text for line in said[0])


def test_the_card_takes_what_a_sweep_takes(shop, tmp_path, capsys):
    more = ["objective.estimator=naive", "replay.personalize_by=none", "dataset.person=session"]
    arguments = [f"dataset.path={shop}", f"output_dir={tmp_path}", *more]
    assert run_command("inspect", inspect, arguments) == 0
    assert "objective.estimator=naive was asked for." in capsys.readouterr().out
    assert run_command("inspect", inspect, [*arguments, "dataset.person=crowd"]) == 2
    assert "dataset.person" in capsys.readouterr().err


def test_a_log_that_cannot_be_replayed_still_has_its_card(shop, tmp_path, capsys):
    split = ["replay.split.warmup=0", "replay.split.tune=0.001"]
    arguments = [f"dataset.path={shop}", f"output_dir={tmp_path}", *split]
    assert run_command("inspect", inspect, arguments) == 0
    assert "It cannot be replayed: The tune part of data set" in capsys.readouterr().out
    (written,) = tmp_path.glob("cards/*/card.json")
    content = json.loads(written.read_text())
    assert content["outlook"] is None
    assert len(content["outlook_lines"]) == 1
