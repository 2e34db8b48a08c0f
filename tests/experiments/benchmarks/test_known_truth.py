"""Whole studies on logs whose right verdict is known, by the commands that users run."""

import json
from collections import Counter

import pytest

from experiments.benchmarks.known_truth import answer, answers, run_quietly
from experiments.data.made.kinds import KINDS

BY_NAME = {kind.name: kind for kind in KINDS}
N_LOGS = 4
MOSTLY_TRAPS = (
    "fixed order",
    "position alone, shared",
    "bot, 300 ids",
    "re-finding",
    "per-user effect, decay 1",
    "shared effect, decay 1",
)


@pytest.mark.slow
def test_a_log_is_judged_the_same_each_time():
    kind = BY_NAME["fixed order"]
    first, second = (answer(kind, 3).sealed.to_dict() for _ in range(2))
    for found in (first, second):
        del found["test"]["openings"]
    assert json.dumps(first) == json.dumps(second)


def test_what_a_failing_command_said_is_told(tmp_path):
    with pytest.raises(RuntimeError, match=r"inspect dataset\.path=.* failed: .*nowhere"):
        run_quietly("inspect", [f"dataset.path={tmp_path / 'nowhere'}"])


def test_a_command_that_succeeds_prints_nothing(tmp_path, capsys):
    output = tmp_path / "shop"
    run_quietly("simulate", [f"output={output}", "simulated.n_sessions=50"])
    assert output.is_dir()
    assert capsys.readouterr().out == ""


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_traps_are_not_adopted_and_effects_are():
    found = list(answers([BY_NAME[name] for name in MOSTLY_TRAPS], N_LOGS, seed=100))
    assert len(found) == N_LOGS * len(MOSTLY_TRAPS)
    wrong = [(item.kind.name, item.seed, item.decision) for item in found if item.is_wrong]
    assert len(wrong) <= 1, wrong
    adopted = Counter(item.kind.name for item in found if item.decision == "adopt")
    for name in MOSTLY_TRAPS[-2:]:
        assert adopted[name] >= N_LOGS - 1, adopted
    assert all(item.says_so for item in found if item.kind.name == "re-finding")
