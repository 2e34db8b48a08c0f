"""The files to deploy: the exact settings, safely quoted, with where they come from inside."""

import json
import os
import shlex
import subprocess

import pytest
import torch

from adjuster import AdjusterConfig, PublishedAdjuster, SelectionConfig, TorchBasedAdjuster
from adjuster.index import SearchIndexInfo
from experiments.config.replay import ReplayConfig
from experiments.deployment.deployment import (
    Deployment,
    make_deployment,
    may_deploy,
    write_deployment,
)
from experiments.judging.verdict import Verdict
from experiments.replay.settings import Settings
from tests.adjuster.cases import random_sessions
from tests.experiments.planted_records import provenance
from tests.experiments.random_log import make_log

INDEX = SearchIndexInfo(7, "cosine", "min")
NASTY = "a\"b'c\\d\n'''\"\"\"\nADJUSTMENT_RATE=9\n$settings {0} \u2028 # \r$(touch hacked)"
SETTINGS = {
    "fine": AdjusterConfig(adjustment_rate=1 / 3, num_iterations=4, max_drift=0.1),
    "refit": AdjusterConfig(
        loss="logistic",
        logit_bias=0.1 + 0.2,
        optimizer="sgd",
        memory="refit",
        term_weight="impression",
        reduction="mean",
        anchor_weight=0.3,
        interval_seconds=0,
    ),
    "published": AdjusterConfig(semantics="published", adjustment_rate=0.07, num_iterations=3),
}


def make(adjuster=SETTINGS["fine"], decision="adopt", name="shop") -> Deployment:
    settings = Settings(adjuster, SelectionConfig(min_clicks=2))
    return Deployment(settings, INDEX, "user_id", provenance(name, decision=decision, text=name))


def written(tmp_path, deployment):
    env, plugin, data = write_deployment(tmp_path, deployment, ("env", "plugin", "json"))
    source = plugin.read_text(encoding="utf-8")
    module: dict = {"__name__": "best_plugin"}
    exec(compile(source, str(plugin), "exec"), module)
    return env, module, json.loads(data.read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", SETTINGS)
def test_the_plugins_adjuster_moves_vectors_as_the_settings_do(tmp_path, name):
    adjuster = SETTINGS[name]
    _, module, _ = written(tmp_path, make(adjuster))
    built = module["get_vectors_adjuster"](INDEX)
    if adjuster.semantics == "published":
        expected = PublishedAdjuster(INDEX, 0.07, 3, 1.0, engine="auto")
    else:
        expected = TorchBasedAdjuster.from_config(INDEX, adjuster)
    sessions = random_sessions(5, owners=("ann", "bob"))
    moved, wanted = built.adjust_vectors(sessions), expected.adjust_vectors(sessions)
    pairs = [
        (a.vector, b.vector, c.vector)
        for before, mine, theirs in zip(sessions, moved, wanted, strict=True)
        for a, b, c in zip(
            before.clicked_elements, mine.clicked_elements, theirs.clicked_elements, strict=True
        )
    ]
    assert all(torch.equal(mine, theirs) for _, mine, theirs in pairs)
    assert not any(torch.equal(before, mine) for before, mine, _ in pairs)


def test_the_plugin_reads_a_hosts_own_index(tmp_path):
    class TheirIndex:
        dimensions, metric_type, metric_aggregation_type = 7, "dot", "avg"

    _, module, _ = written(tmp_path, make())
    assert module["get_vectors_adjuster"](TheirIndex()).config.max_drift == 0.1


def test_the_plugin_holds_what_the_host_must_set_itself(tmp_path):
    _, module, _ = written(tmp_path, make(SETTINGS["refit"]))
    assert module["IMPROVEMENT_SECONDS_INTERVAL"] == 0
    assert module["SELECTION"]["min_clicks"] == 2
    assert module["PERSONALIZE_BY"] == "user_id"
    text = (tmp_path / "best_plugin.py").read_text()
    assert "# memory is refit: hand over the original vectors" in text
    assert max(map(len, text.splitlines())) < 100
    assert "# max_drift and anchor_weight measure from" in text


def test_a_shell_reads_the_four_variables(tmp_path):
    env, _, _ = written(tmp_path, make(SETTINGS["fine"], name=NASTY))
    names = ("ADJUSTMENT_RATE", "NUM_ITERATIONS", "SOFTMIN_TEMPERATURE")
    command = f"set -a; . {shlex.quote(str(env))}; env"
    shell = subprocess.run(
        ["sh", "-c", command], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    found = dict(line.split("=", 1) for line in shell.stdout.splitlines() if "=" in line)
    assert {name: found[name] for name in names} == {
        "ADJUSTMENT_RATE": str(1 / 3),
        "NUM_ITERATIONS": "4",
        "SOFTMIN_TEMPERATURE": "1.0",
    }
    assert AdjusterConfig.from_env(found) == AdjusterConfig(adjustment_rate=1 / 3, num_iterations=4)
    assert not (tmp_path / "hacked").exists()


def test_the_variables_file_says_what_it_cannot_carry(tmp_path):
    env, _, _ = written(tmp_path, make(SETTINGS["refit"]))
    text = env.read_text()
    (line,) = [line for line in text.splitlines() if "no variable" in line]
    assert 'memory: "refit"' in line
    assert "logit_bias: 0.30000000000000004" in line
    plain, _, _ = written(tmp_path, make(AdjusterConfig(adjustment_rate=0.01)))
    assert "no variable" not in plain.read_text()


def test_a_name_full_of_quotes_stays_data(tmp_path):
    env, module, data = written(tmp_path, make(name=NASTY))
    assert json.dumps(NASTY) in (tmp_path / "best_plugin.py").read_text(encoding="utf-8")
    assert data["provenance"]["study"] == NASTY
    assert module["SETTINGS"]["adjustment_rate"] == 1 / 3
    lines = [line for line in env.read_text().splitlines() if not line.startswith("#")]
    assert [line.split("=")[0] for line in lines] == [
        "ADJUSTMENT_RATE",
        "NUM_ITERATIONS",
        "SOFTMIN_TEMPERATURE",
        "IMPROVEMENT_SECONDS_INTERVAL",
    ]


@pytest.mark.parametrize("name", SETTINGS)
def test_three_lines_say_what_it_is_how_to_use_it_and_for_which_semantics(tmp_path, name):
    env, _, data = written(tmp_path, make(SETTINGS[name]))
    plugin = tmp_path / "best_plugin.py"
    for path in (env, plugin):
        what, use, semantics = path.read_text().splitlines()[:3]
        assert what.startswith('# Trial 12 of study "shop"; the sealed test adopts it; ')
        assert what.endswith("best.json.")
        assert use.startswith(("# Use it so: ", "# Needs the package adjuster"))
        assert f"Tuned for the {data['adjuster']['semantics']} semantics" in semantics
        assert "tock Embedding Studio computes" in semantics
        assert len(path.read_text().splitlines()) <= 32
    assert len(env.read_text().splitlines()) <= 8


def test_only_the_json_says_where_it_comes_from(tmp_path):
    env, module, data = written(tmp_path, make())
    assert data["provenance"]["metrics"]["mrr"] is None
    assert data["provenance"]["dataset"]["fingerprint"] == "f" * 64
    assert data["adjuster"]["max_drift"] == 0.1
    assert "PROVENANCE" not in module
    assert "fingerprint" not in env.read_text()


@pytest.mark.parametrize(
    ("decision", "warned"), [("adopt", False), ("keep off", True), ("cannot tell", True)]
)
def test_what_was_forced_says_so_inside_every_file(tmp_path, decision, warned):
    write_deployment(tmp_path, make(decision=decision), ("env", "plugin", "json"))
    for name in ("best.env", "best_plugin.py", "best.json"):
        told = f"The sealed test says {decision.upper()}" in (tmp_path / name).read_text()
        assert told == warned


def test_keep_off_is_not_deployed_unless_forced():
    assert not may_deploy(Verdict("keep off", "Keep off."), force=False)
    assert may_deploy(Verdict("keep off", "Keep off."), force=True)
    assert may_deploy(Verdict("adopt", "Adopt."), force=False)


def test_only_the_formats_asked_for_are_written(tmp_path):
    assert write_deployment(tmp_path, make(), ("env",)) == [tmp_path / "best.env"]
    assert os.listdir(tmp_path) == ["best.env"]


def test_a_deployment_says_whose_vectors_it_is_for():
    log, settings = make_log(3), Settings(AdjusterConfig(), SelectionConfig())
    config = ReplayConfig(personalize_by="segment")
    deployment = make_deployment(log, config, settings, provenance())
    assert deployment.personalize_by == "segment"
    assert deployment.index == log.index
    assert deployment.settings == settings
