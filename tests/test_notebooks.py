"""The notebooks: stripped of output, short of definitions, and running to their end."""

import ast
from pathlib import Path

import nbformat
import pytest

from experiments.data.made.shop import SimulatedConfig
from experiments.data.made.simulated import prepare_simulated
from tests.experiments.finished_folder import write_finished_study

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SLOWEST_CELL_SECONDS = 180


def read(path):
    return nbformat.read(path, as_version=4)


def code_of(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def test_all_three_are_there():
    names = [path.stem for path in NOTEBOOKS]
    assert names == ["01_quickstart", "02_review_a_sweep", "03_published_or_documented"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_holds_no_output_and_no_trace_of_a_run(path):
    for cell in code_of(path):
        assert cell.outputs == []
        assert cell.execution_count is None
    nbformat.validate(read(path))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_defines_nothing_worth_testing(path):
    defined = [
        node
        for cell in code_of(path)
        for node in ast.walk(ast.parse(cell.source))
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    assert defined == []


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """What the notebooks read: a small shop, and the folder of a finished study."""
    root = tmp_path_factory.mktemp("notebooks")
    sizes = SimulatedConfig(
        n_sessions=300, n_users=15, n_objects=50, n_topics=3, n_queries=10, n_shown=6, dimensions=8
    )
    prepare_simulated(root / "shop", sizes)
    write_finished_study(root / "out", "planted")
    return {
        "NOTEBOOK_DATA": str(root / "shop"),
        "NOTEBOOK_OUTPUTS": str(root / "out"),
        "NOTEBOOK_STUDY": "planted",
        "PYTHONPATH": str(ROOT),
    }


def execute(path, monkeypatch, environment):
    """Run a notebook from its own folder; its code cells with their outputs."""
    from nbclient import NotebookClient

    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    notebook = read(path)
    client = NotebookClient(
        notebook,
        timeout=SLOWEST_CELL_SECONDS,
        kernel_name="python3",
        resources={"metadata": {"path": str(path.parent)}},
    )
    client.execute()
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("path", "n_figures"),
    [(NOTEBOOKS[0], 3), (NOTEBOOKS[1], 8), (NOTEBOOKS[2], 4)],
    ids=lambda value: getattr(value, "stem", ""),
)
def test_a_notebook_runs_to_its_end_and_shows_its_figures(path, n_figures, monkeypatch, folders):
    cells = execute(path, monkeypatch, folders)
    outputs = [output for cell in cells for output in cell.outputs]
    assert [output for output in outputs if output.output_type == "error"] == []
    shown = [output.data for output in outputs if "data" in output]
    figures = [data for data in shown if "application/vnd.plotly.v1+json" in data]
    assert len(figures) >= n_figures
    assert all(data["application/vnd.plotly.v1+json"]["data"] for data in figures)
    assert any("<table" in data.get("text/html", "") for data in shown)
    warned = [output.text for output in outputs if output.get("name") == "stderr"]
    assert warned == []
