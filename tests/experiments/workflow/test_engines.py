"""A sweep in partitions ends with the trials of the whole log's, and says what it cannot do."""

import csv
import json
from dataclasses import asdict, replace

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from adjuster.config import AdjusterConfig
from experiments.config.command import run_command
from experiments.config.commands import SweepConfig
from experiments.config.data import DatasetConfig, SimulatedConfig
from experiments.config.partitions import EngineConfig
from experiments.config.replay import ObjectiveConfig
from experiments.config.study import StudyConfig
from experiments.data.made.simulated import prepare_simulated
from experiments.data.partitioning import partition_log
from experiments.evaluate import evaluate
from experiments.export import export
from experiments.inspect import inspect
from experiments.partition import partition
from experiments.report import report
from experiments.sweep import sweep
from experiments.workflow.engines import open_swept, partitions_of, resolved
from experiments.workflow.studies import base_settings
from tests.experiments.planted_replay import make_settings

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


def exported(folder, *more):
    """The summary of a study whose test was opened and whose trial was written all the same."""
    options = ["study=cut", f"output_dir={folder}", "force=true", f"vectors={folder / 'vectors'}"]
    assert run_command("export", export, [*options, *more]) == 0
    return json.loads((folder / "cut" / "summary.json").read_text())


def vectors_in(folder):
    """The personalized vectors; parts are written one after the other."""
    table = pq.read_table(folder / "vectors" / "personalized_vectors.parquet")
    return table.sort_by([("object_id", "ascending"), ("part", "ascending")])


@pytest.mark.slow
def test_a_sweep_in_partitions_leaves_the_same_trials_and_finalists(shop, tmp_path, capsys):
    assert swept(tmp_path / "whole", shop) == 0
    trials = trials_in(tmp_path / "whole")
    parts = tmp_path / "parts"
    arguments = [f"dataset.path={shop}", f"output={parts}", "parts=3"]
    assert run_command("partition", partition, arguments) == 0
    assert "500 sessions and 3,000 impressions in 3 partitions by user" in capsys.readouterr().out
    assert swept(tmp_path / "cut", parts, "engine=local") == 0
    told = capsys.readouterr().out
    assert "the outlook and headroom are left out" in told
    assert "similarity + popularity" in told
    assert trials_in(tmp_path / "cut") == trials
    assert evidence_in(tmp_path / "cut") == evidence_in(tmp_path / "whole")

    summaries = [exported(tmp_path / name) for name in ("whole", "cut")]
    for summary in summaries:
        assert [opening.pop("opened_at") for opening in summary["test"]["openings"]]
    whole, cut = summaries
    assert (cut["answer"], cut["verdict"]) == (whole["answer"], whole["verdict"])
    assert cut["test"] == whole["test"]
    assert "popularity" in {rival["name"] for rival in cut["test"]["evidence"]["rivals"]}
    assert evidence_in(tmp_path / "cut") == evidence_in(tmp_path / "whole")
    assert vectors_in(tmp_path / "cut").equals(vectors_in(tmp_path / "whole"))
    files = [(tmp_path / name / "cut" / "best.json").read_text() for name in ("whole", "cut")]
    assert files[0] == files[1]
    capsys.readouterr()
    best = tmp_path / "cut" / "cut" / "best.yaml"
    assert run_command("evaluate", evaluate, [f"config={best}"]) == 0
    assert "figures are as stated" in capsys.readouterr().out
    assert run_command("report", report, ["study=cut", f"output_dir={tmp_path / 'cut'}"]) == 0

    again = swept(tmp_path / "cut", shop, "engine=local", "engine.parts=4", "study.n_trials=6")
    assert again == 0
    assert trials_in(tmp_path / "cut")[:5] == trials
    assert len(trials_in(tmp_path / "cut")) == 6
    trial = whole["test"]["trial"]
    assert exported(tmp_path / "cut", f"trial={trial}")["verdict"] == whole["verdict"]
    # The fingerprint is that of the whole log, so that the sealed test opens on it, too.
    again = exported(tmp_path / "cut", f"trial={trial}", f"dataset.path={shop}")
    assert again["verdict"] == whole["verdict"]
    assert not list(tmp_path.rglob(".replay-*")), "all is cleared away"


@pytest.mark.slow
@pytest.mark.parametrize(("scope", "by"), [("user_id", "user"), ("none", "object")])
def test_published_vectors_are_exported_from_partitions_as_from_the_whole_log(
    shop, tmp_path, scope, by
):
    partition_log(shop, tmp_path / "parts", 3, by=by)
    changes = ["adjuster.semantics=published", f"replay.personalize_by={scope}", "study.n_trials=1"]
    assert swept(tmp_path, tmp_path / "parts", "engine=local", *changes) == 0
    exported(tmp_path, "trial=0")
    cut = vectors_in(tmp_path)
    exported(tmp_path, "trial=0", f"dataset.path={shop}")
    assert cut.num_rows > SHOP.n_objects / 2
    assert cut.equals(vectors_in(tmp_path))
    assert not list(tmp_path.rglob(".replay-*")), "all is cleared away"


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["engine=local"], "has no partitions.json"),
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


@pytest.fixture(scope="module")
def parts(shop, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "parts"
    partition_log(shop, folder, 2)
    return folder


def test_partitions_are_refused_where_the_whole_log_is_read(parts, tmp_path, capsys):
    assert swept(tmp_path, parts) == 2
    assert "a sweep reads one with engine=local" in capsys.readouterr().err
    assert run_command("inspect", inspect, [f"dataset.path={parts}"]) == 2
    assert "a sweep reads one with engine=local" in capsys.readouterr().err


def configured(folder, path, engine="local", estimator="naive", **more):
    """A sweep's configuration."""
    return SweepConfig(
        dataset=DatasetConfig("folder", str(path)),
        study=StudyConfig("cut"),
        engine=EngineConfig(engine, **more),
        objective=ObjectiveConfig(estimator=estimator),
        output_dir=str(folder),
    )


def evaluated(folder, config, *more):
    """Exit status of an evaluation of a configuration."""
    path = folder / "best.yaml"
    path.write_text(yaml.safe_dump(asdict(config)))
    return run_command("evaluate", evaluate, [f"config={path}", *more])


def test_a_configuration_is_evaluated_in_partitions_to_the_same_figures(
    shop, parts, tmp_path, capsys
):
    config, told = configured(tmp_path, parts), []
    for more in ([], [f"dataset.path={shop}"]):
        assert evaluated(tmp_path, config, *more) == 0
        told.append(capsys.readouterr().out)
    assert told[0] == told[1]
    assert "NDCG@10" in told[0]


def test_what_partitions_cannot_show_again_is_said_in_a_sentence(shop, parts, tmp_path, capsys):
    config = replace(configured(tmp_path, shop, "memory"), objective=ObjectiveConfig())
    assert evaluated(tmp_path, config, f"dataset.path={parts}") == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "objective.estimator must be naive or judged" in line


def test_a_finished_sweeps_log_is_opened_as_it_lies(shop, parts, tmp_path):
    swept_whole, swept_cut = (
        configured(tmp_path, path, engine) for path, engine in ((shop, "memory"), (parts, "local"))
    )
    for config, path, is_cut in (
        (swept_whole, None, False),
        (swept_whole, parts, True),
        (swept_cut, None, True),
        (swept_cut, shop, False),
    ):
        with open_swept(config, path and str(path)) as opened:
            assert (opened.parts is not None) == is_cut
            assert opened.log.n_sessions == SHOP.n_sessions


def test_what_a_sweep_has_cut_is_opened_and_cut_again_only_where_it_is_gone(shop, tmp_path):
    config = configured(tmp_path, shop, parts=3)
    with open_swept(config, None) as opened:
        assert opened.parts.manifest.n_parts == 3
    made = (partitions_of(config) / "partitions.json").stat().st_mtime_ns
    with open_swept(config, None) as opened:
        assert opened.parts.folder == partitions_of(config)
    assert (partitions_of(config) / "partitions.json").stat().st_mtime_ns == made
    with open_swept(config, str(shop)) as opened:
        assert opened.parts is None


def test_an_automatic_bias_is_the_number_it_stands_for_in_either_log(shop, parts, tmp_path):
    config = configured(tmp_path, shop, "memory")
    config = replace(config, adjuster=AdjusterConfig(loss="logistic"))
    asked, found = base_settings(config), []
    for path in (shop, parts):
        with open_swept(config, str(path)) as opened:
            found.append(resolved(opened, config, asked).adjuster.logit_bias)
            assert resolved(opened, config, make_settings()) == make_settings()
    assert found[0] == found[1]
    assert np.isfinite(found[0])


def test_a_sweep_that_may_try_the_published_semantics_is_told_at_once_to_cut_by_user(
    shop, tmp_path, capsys
):
    parts = tmp_path / "parts"
    arguments = [f"dataset.path={shop}", f"output={parts}", "parts=2", "by=object"]
    assert run_command("partition", partition, arguments) == 0
    assert swept(tmp_path, parts, "engine=local", "search_space=full") == 2
    assert "Partition it with by=user" in capsys.readouterr().err
    assert not list(parts.glob(".replay-*"))
