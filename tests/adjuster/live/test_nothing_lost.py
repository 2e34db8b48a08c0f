"""Workers that are killed lose nothing and learn nothing twice."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def run(what, place, *numbers) -> str:
    """Run `killing` in a process of its own; returns what it says."""
    command = [sys.executable, "-m", "tests.adjuster.live.killing", what, *place]
    done = subprocess.run(
        [*command, *map(str, numbers)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.slow
def test_a_worker_killed_between_any_two_statements_of_a_tick_loses_nothing(live_place):
    n_statements = int(run("walk", live_place, 5).split()[0])
    # Two batches, each of several claims, sessions, copies and terms.
    assert n_statements > 60


@pytest.mark.slow
@pytest.mark.parametrize("n_workers", [2, 4])
def test_one_of_many_workers_killed_at_any_statement_loses_nothing(live_place, n_workers):
    # PostgreSQL takes far longer to begin anew: there, one statement in five.
    stride = {"sqlite": 1, "postgres": 5}[live_place.kind]
    n_statements = int(run("walk_among", live_place, 5, n_workers, stride).split()[0])
    # The first batch, and to find that another worker has the second.
    assert n_statements > 30


@pytest.mark.slow
@pytest.mark.parametrize(("n_workers", "owners"), [(2, "ann,bob"), (4, "everyone")])
def test_workers_killed_at_random_moments_learn_each_session_once(live_place, n_workers, owners):
    assert run("load", live_place, n_workers, 50, owners) == "400 sessions\n"
