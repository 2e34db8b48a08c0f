"""Kinds of bad input, each given to a command: status 2, a sentence, no traceback, nothing written.

What a data set, a log or a mapping may have wrong is listed beside its own tests; here the same
tables pass through the commands.
"""

import shutil

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from omegaconf import OmegaConf

from adjuster.index import SearchIndexInfo
from experiments import benchmark
from experiments.compare import compare
from experiments.config import command as commands
from experiments.config.command import run_command
from experiments.config.commands import COMMANDS
from experiments.data.format.folder import write_click_log
from experiments.data.format.metadata import Metadata
from experiments.evaluate import evaluate
from experiments.export import export
from experiments.ingest import ingest
from experiments.inspect import inspect
from experiments.report import report
from experiments.simulate import simulate
from experiments.sweep import sweep
from experiments.track import track
from experiments.ui import ui
from tests.experiments.data.conftest import make_tables
from tests.experiments.data.format.test_bad_folder import CASES as TABLE_FAULTS
from tests.experiments.data.format.test_bad_folder import YAML_CASES
from tests.experiments.data.importers.test_table import BAD_MAPPINGS
from tests.experiments.data.studio_log import VECTORS, event, events, objects, session, sessions
from tests.experiments.data.test_bad_rows import FAULTS as ROW_FAULTS
from tests.experiments.finished_folder import write_finished_study

RUN = {
    "compare": compare,
    "evaluate": evaluate,
    "export": export,
    "ingest": ingest,
    "inspect": inspect,
    "report": report,
    "simulate": simulate,
    "sweep": sweep,
    "track": track,
    "ui": ui,
}


@pytest.fixture
def told(monkeypatch, capsys):
    """Run a command whose settings are given as they are, without Hydra's groups; what it said."""

    def composed(name, arguments):
        schema = OmegaConf.structured(COMMANDS[name])
        return OmegaConf.merge(schema, OmegaConf.from_dotlist(list(arguments)))

    def run(name, *arguments):
        monkeypatch.setattr(commands, "_composed", composed)
        assert run_command(name, RUN[name], list(map(str, arguments))) == 2
        captured = capsys.readouterr()
        assert captured.out == ""
        assert "Traceback" not in captured.err
        return captured.err.strip()

    return run


@pytest.fixture
def folder(tmp_path):
    metadata = Metadata("tiny", SearchIndexInfo(2), source="by hand")
    write_click_log(tmp_path / "tiny", metadata, make_tables())
    return tmp_path / "tiny"


@pytest.mark.parametrize("kind", TABLE_FAULTS)
def test_a_data_set_with_a_fault_in_a_table(told, folder, tmp_path, kind):
    (table, columns), message = TABLE_FAULTS[kind]
    data = pq.read_table(folder / f"{table}.parquet")
    kept = {name: data[name] for name in data.column_names}
    pq.write_table(pa.table({**kept, **columns}), folder / f"{table}.parquet")
    said = told("inspect", f"dataset.path={folder}", f"output_dir={tmp_path}/out")
    assert message in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", YAML_CASES)
def test_a_data_set_with_a_fault_in_its_metadata(told, folder, tmp_path, kind):
    content, message = YAML_CASES[kind]
    content = content if isinstance(content, bytes) else content.encode()
    (folder / "dataset.yaml").write_bytes(content)
    said = told("inspect", f"dataset.path={folder}", f"output_dir={tmp_path}/out")
    assert message in said
    assert not (tmp_path / "out").exists()


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log"
    path.mkdir()
    sessions(path, session(), session("s2", at=1_700_000_100, shown=("b", "a")))
    events(path, event(), event("e2", "s2", "a"))
    objects(path, *VECTORS.items())
    (path / "queries.csv").write_text('object_id,vector\nq,"[1, 2]"\n')
    return path


@pytest.mark.parametrize("kind", ROW_FAULTS)
def test_a_log_with_a_fault_in_a_row(told, log, tmp_path, kind):
    write, message = ROW_FAULTS[kind]
    write(log)
    said = told("ingest", "source=embedding_studio", f"path={log}", f"output={tmp_path}/out")
    assert message in said
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", BAD_MAPPINGS)
def test_a_mapping_with_a_fault(told, tmp_path, kind):
    text, message = BAD_MAPPINGS[kind]
    (tmp_path / "m.yaml").write_text(text)
    arguments = (f"path={tmp_path}", f"output={tmp_path}/out", f"mapping={tmp_path}/m.yaml")
    assert message in told("ingest", "source=table", *arguments)
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def studies(tmp_path_factory):
    home = tmp_path_factory.mktemp("studies")
    write_finished_study(home, "s")
    return home


STUDY_FAULTS = {
    "summary that is no JSON": ("summary.json", "{", "summary.json cannot be read"),
    "summary that is a list": ("summary.json", "[]", "it must be a record, got list"),
    "summary without baselines": ("summary.json", "{}", "no_adjustment is missing"),
    "summary nested too deeply": ("summary.json", "[" * 100_000, "nested too deeply"),
    "summary that is no text": ("summary.json", b"\xff\xfe", "summary.json cannot be read"),
    "trials without content": ("trials.csv", "", "trials.csv cannot be read"),
    "trials that are no table": ("trials.csv", 'a,b\n1,2,3\n"', "trials.csv cannot be read"),
    "trials with an interval that is a word": (
        "trials.csv",
        "number,state,reason,value,seconds,gain_low\n0,complete,,0.5,1,x\n",
        "line 2: gain_low must be a number, got 'x'",
    ),
    "finalists that are no list": ("evidence/finalists.json", "{}", "must be a list of finalists"),
    "finalist without figures": ("evidence/finalists.json", '[{"trial": 1}]', "cannot be read"),
    "importances that are words": (
        "evidence/importances.json",
        '{"a": "b"}',
        "must hold a number for each parameter",
    ),
    "configuration that is a list": ("config.yaml", "- 1", "must hold settings by name, got list"),
    "configuration with an alias": ("config.yaml", "a: &a 1\nb: *a", "found the alias *a"),
    "configuration with a day that is none": ("config.yaml", "a: 2024-13-45", "cannot be read"),
    "configuration with a strange setting": ("config.yaml", "a: 1", "a is not a setting"),
}


@pytest.mark.parametrize("kind", STUDY_FAULTS)
def test_a_study_with_a_damaged_file(told, studies, tmp_path, kind):
    name, content, message = STUDY_FAULTS[kind]
    shutil.copytree(studies, tmp_path / "home")
    path = tmp_path / "home" / "s" / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    said = told("report", "study=s", f"output_dir={tmp_path}/home")
    assert message in said
    assert len(said.splitlines()) == 1
    assert not (tmp_path / "home" / "s" / "report.html").exists()


BEST_FAULTS = {
    "that builds an object": ("!!python/object/apply:os.getcwd []", "cannot be read"),
    "that is not closed": ("a: [", "cannot be read"),
    "with a group that is a number": (
        "adjuster: 5",
        "adjuster must be a group of settings, got 5.",
    ),
    "with a value that is looked up": ("output_dir: ${oc.env:HOME}", "must be plain data"),
    "with a value out of range": (
        "{adjuster: {adjustment_rate: -1}, dataset: {name: simulated}, study: {name: s}}",
        "adjuster.adjustment_rate must be > 0 and <= 10",
    ),
    "with a word for a number": (
        "{study: {name: s, n_trials: many}, dataset: {name: simulated}}",
        "study.n_trials",
    ),
    "with an interval beside a group that is none": (
        "{adjuster: 5, replay: {interval_seconds: 3}}",
        "adjuster must be a group of settings, got 5.",
    ),
    "nested too deeply": ("a: " + "[" * 1500, "cannot be read"),
    "with a control character": ("a: \x00", "cannot be read"),
}


@pytest.mark.parametrize("kind", BEST_FAULTS)
def test_a_best_yaml(told, tmp_path, kind):
    text, message = BEST_FAULTS[kind]
    (tmp_path / "best.yaml").write_text(text)
    said = told("evaluate", f"config={tmp_path}/best.yaml")
    assert message in said
    assert all(line.startswith(f"config {tmp_path}/best.yaml") for line in said.splitlines())


HERE = "{here}"
PLACES = {
    "data set that is not there": ("inspect", ["dataset.path={here}/none"], "which is not there"),
    "data set that is a file": ("inspect", ["dataset.path={here}/file"], "which is a file"),
    "log that is not there": (
        "ingest",
        ["source=ubi", "path={here}/none", "output={here}/out"],
        "which is not there",
    ),
    "log that is a file": (
        "ingest",
        ["source=mind", "path={here}/file", "output={here}/out"],
        "path must be a folder for source=mind, got a file",
    ),
    "log without files": (
        "ingest",
        ["source=mind", "path={here}/empty", "output={here}/out"],
        "news.tsv: the file is missing",
    ),
    "name that leads elsewhere": (
        "ingest",
        ["source=ubi", "path={here}/empty", "output={here}/out", "name=../x"],
        "name must be a name of at most 200 bytes",
    ),
    "output that holds something else": (
        "ingest",
        ["source=ubi", "path={here}/empty", "output={here}"],
        "which holds something else",
    ),
    "mapping that is not there": (
        "ingest",
        ["source=table", "path={here}", "output={here}/out", "mapping={here}/none.yaml"],
        "mapping must be a plain YAML file",
    ),
    "mapping for a source that needs none": (
        "ingest",
        ["source=ubi", "path={here}", "output={here}/out", "mapping=x"],
        "mapping must be",
    ),
    "shop in a folder of something else": (
        "simulate",
        ["output={here}"],
        "which holds something else",
    ),
    "study that is not there": (
        "report",
        ["study=none", "output_dir={here}"],
        "study none has not been swept",
    ),
    "study to deliver that is not there": (
        "track",
        ["study=none", "output_dir={here}"],
        "none",
    ),
    "study to export that is not there": (
        "export",
        ["study=none", "output_dir={here}"],
        "none",
    ),
    "one study to compare": ("compare", ["studies=[a]"], "must name two"),
    "studies and configurations to compare": (
        "compare",
        ["studies=[a,b]", "configs=[a,b]"],
        "must name two",
    ),
    "studies to compare that are not there": (
        "compare",
        ["studies=[a,b]", "output_dir={here}"],
        "a",
    ),
    "best.yaml that is not there": ("evaluate", ["config={here}/none.yaml"], "cannot be read"),
    "best.yaml that is a folder": ("evaluate", ["config={here}/empty"], "cannot be read"),
}


@pytest.mark.parametrize("kind", PLACES)
def test_a_place(told, tmp_path, kind):
    name, arguments, message = PLACES[kind]
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    said = told(name, *(argument.replace(HERE, str(tmp_path)) for argument in arguments))
    assert message in said
    assert not (tmp_path / "out").exists()


BENCHMARK_FAULTS = {
    "part that does not exist": (["speed"], "PART must be one of "),
    "figures that are no JSON": (["adjuster", "--output", "{here}/file"], "must hold the JSON"),
    "figures that are a list": (["adjuster", "--output", "{here}/list"], "must hold the JSON"),
    "figures in a folder": (["adjuster", "--output", "{here}"], "a folder stands where a file"),
}


@pytest.mark.parametrize("kind", BENCHMARK_FAULTS)
def test_a_benchmark(capsys, tmp_path, kind):
    arguments, message = BENCHMARK_FAULTS[kind]
    (tmp_path / "file").write_text("x")
    (tmp_path / "list").write_text("[1]")
    given = [argument.replace(HERE, str(tmp_path)) for argument in arguments]
    assert benchmark.main(given) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1


SETTINGS = {
    "setting of no command": ("inspect", ["dataset.pth=x"], "dataset.pth is not a setting"),
    "setting twice with two values": (
        "sweep",
        ["replay.interval_seconds=1", "adjuster.interval_seconds=2"],
        "are one setting with two values",
    ),
    "negative number of seconds": (
        "inspect",
        ["dataset.path=x", "replay.quiet_seconds=-1"],
        "quiet_seconds must be >= 0 seconds, got -1",
    ),
    "word for a seed": ("simulate", ["seed=x"], "seed must be a whole number, got x"),
    "study's name with a slash": ("report", ["study=a/b"], "study must be 1 to 100 letters"),
    "data set that is not there": (
        "sweep",
        ["dataset=folder", "dataset.path=no-such-folder", "output_dir=no-such-output"],
        "which is not there",
    ),
    "more blocks than any log has": (
        "sweep",
        ["replay.n_blocks=1000000000"],
        "replay.n_blocks must be in [1, 10000], got 1000000000",
    ),
    "more points of a curve than a screen has": (
        "sweep",
        ["replay.curve_points=1000000000"],
        "replay.curve_points must be in [20, 10000], got 1000000000",
    ),
    "more threads than a machine has": (
        "sweep",
        ["replay.n_threads=1000000000"],
        "replay.n_threads must be in [0, 1024], got 1000000000",
    ),
    "more processes than a machine has": (
        "sweep",
        ["study.workers=1000000000"],
        "study.workers must be in [1, 256], got 1000000000",
    ),
    "more points of a grid than memory holds": (
        "sweep",
        ["sampler=grid", "sampler.grid_points=1000000000"],
        "sampler.grid_points must be in [1, 1000], got 1000000000",
    ),
    "longer vectors than memory holds": (
        "simulate",
        ["simulated.dimensions=100000000000"],
        "simulated.dimensions must be in [2, 65536], got 100000000000",
    ),
    "UI over a folder without runs": (
        "ui",
        ["output_dir=no-such-output"],
        "there is no mlflow.db. Sweep first",
    ),
    "format that is none": ("export", ["study=s", "format=xml"], "format must be one of all, yaml"),
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_setting(capsys, kind):
    name, arguments, message = SETTINGS[kind]
    assert run_command(name, RUN[name], arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert len(captured.err.splitlines()) == 1


def test_there_are_at_least_120_kinds_of_bad_input():
    tables = [TABLE_FAULTS, YAML_CASES, ROW_FAULTS, BAD_MAPPINGS, STUDY_FAULTS]
    tables += [BEST_FAULTS, PLACES, BENCHMARK_FAULTS, SETTINGS]
    assert sum(map(len, tables)) >= 120
