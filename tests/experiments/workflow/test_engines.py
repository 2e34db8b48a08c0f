"""A sweep in partitions ends with the trials of the whole log's, and says what it cannot do."""

import csv

import pytest

from experiments.config.command import run_command
from experiments.config.data import SimulatedConfig
from experiments.data.made.simulated import prepare_simulated
from experiments.export import export
from experiments.partition import partition
from experiments.sweep import sweep

SHOP = SimulatedConfig(
    n_sessions=500, n_users=60, n_objects=40, n_topics=3, n_queries=9, n_shown=6, dimensions=8
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "shop"
    prepare_simulated(folder, SHOP)
    return folder


def swept(folder, path, *more):
    """Exit status of a small sweep."""
    arguments = ["dataset=folder", f"dataset.path={path}", f"output_dir={folder}"]
    rest = ["study.name=cut", "study.n_trials=5", "tracking=none", "objective.estimator=naive"]
    return run_command("sweep", sweep, [*arguments, *rest, *more])


def trials_in(folder):
    """Trials without their seconds, as the study left them."""
    rows = list(csv.DictReader((folder / "cut" / "trials.csv").open()))
    return [{name: row[name] for name in row if name != "seconds"} for row in rows]


def evidence_in(folder):
    """Every file that the study left of its finalists, byte by byte."""
    files = sorted((folder / "cut" / "evidence").iterdir())
    return {path.name: path.read_bytes() for path in files}


@pytest.mark.slow
def test_a_sweep_in_partitions_leaves_the_same_trials_and_finalists(shop, tmp_path, capsys):
    assert swept(tmp_path / "whole", shop) == 0
    trials = trials_in(tmp_path / "whole")
    parts = tmp_path / "parts"
    arguments = [f"dataset.path={shop}", f"output={parts}", "parts=3"]
    assert run_command("partition", partition, arguments) == 0
    assert "500 sessions and 3,000 impressions in 3 partitions by user" in capsys.readouterr().out
    assert swept(tmp_path / "cut", parts, "engine=local") == 0
    assert "popularity and headroom are left out" in capsys.readouterr().out
    assert trials_in(tmp_path / "cut") == trials
    assert evidence_in(tmp_path / "cut") == evidence_in(tmp_path / "whole")
    again = swept(tmp_path / "cut", shop, "engine=local", "engine.parts=4", "study.n_trials=6")
    assert again == 0
    assert trials_in(tmp_path / "cut")[:5] == trials
    assert len(trials_in(tmp_path / "cut")) == 6
    # The fingerprint is that of the whole log, so that the sealed test opens on it.
    options = ["study=cut", f"output_dir={tmp_path / 'cut'}", f"dataset.path={shop}"]
    assert run_command("export", export, options) == 0


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["engine=local"], "has no partitions.json"),
        (
            ["engine=local", "engine.parts=2", "adjuster.semantics=published"],
            "must not be published",
        ),
        (["engine=local", "engine.parts=2", "search_space=full"], "must not be published"),
        (["engine=local", "engine.parts=2", "objective.estimator=auto"], "naive or judged"),
        (["engine=local", "engine.parts=0"], "engine.parts must be"),
        (["engine=ray", "engine.parts=2", "study.workers=2"], "study.workers must be 1"),
        (["engine=ray", "engine.parts=2", "engine.address=here"], "auto, local or ray://host:port"),
        (["engine=ray", "engine.parts=2", "engine.address=ray://127.0.0.1:1"], "does not answer"),
        (["engine=ray", "engine.actors=0"], "engine.actors must be"),
        (["engine=spark"], "spark"),
    ],
)
def test_what_partitions_cannot_do_is_said_in_a_sentence(shop, tmp_path, capsys, more, told):
    assert swept(tmp_path, shop, *more) == 2
    assert told in capsys.readouterr().err


def test_partitions_are_refused_where_the_whole_log_is_read(shop, tmp_path, capsys):
    parts = tmp_path / "parts"
    arguments = [f"dataset.path={shop}", f"output={parts}", "parts=2"]
    assert run_command("partition", partition, arguments) == 0
    assert swept(tmp_path, parts) == 2
    assert "only a sweep reads one, with engine=local" in capsys.readouterr().err
