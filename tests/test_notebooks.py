"""The notebooks: with pictures of their figures, short of definitions, running to their end."""

import ast
import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import nbformat
import pytest
from PIL import Image

from experiments.data.made.shop import SimulatedConfig
from experiments.data.made.simulated import prepare_simulated
from tests.experiments.finished_folder import write_finished_study

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
NAMES = [path.stem for path in NOTEBOOKS]
FIGURES = list(zip(NOTEBOOKS, (3, 8, 4), strict=True))
SLOWEST_CELL_SECONDS = 180
LARGEST = 300_000
"""Bytes of a notebook with its outputs."""


def read(path):
    return nbformat.read(path, as_version=4)


def code_of(path):
    return [cell for cell in read(path).cells if cell.cell_type == "code"]


def test_all_three_are_there():
    names = [path.stem for path in NOTEBOOKS]
    assert names == ["01_quickstart", "02_review_a_sweep", "03_published_or_documented"]


@pytest.mark.parametrize(("path", "n_figures"), FIGURES, ids=NAMES)
def test_a_notebook_ships_with_its_figures_and_no_trace_of_a_run(path, n_figures):
    outputs = [output for cell in code_of(path) for output in cell.outputs]
    assert all(cell.execution_count is None for cell in code_of(path))
    assert {output.output_type for output in outputs} == {"display_data"}
    pictures = [output.data["image/png"] for output in outputs if "image/png" in output.data]
    assert len(pictures) >= n_figures
    for picture in pictures:
        seen = Image.open(BytesIO(b64decode(picture)))
        assert min(seen.size) >= 200
        assert len(seen.getcolors() or []) > 3, "an empty picture"
    texts = [text for item in outputs for kind, text in item.data.items() if "png" not in kind]
    told = " ".join(texts)
    assert re.findall(r"/(?:home|tmp|work|Users)/|\b0x[0-9a-f]{8}", told) == []
    assert path.stat().st_size < LARGEST
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
@pytest.mark.parametrize(("path", "n_figures"), FIGURES, ids=NAMES)
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
