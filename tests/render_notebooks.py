"""``make notebooks``: run the notebooks and keep what they show, as pictures and tables.

They run on the small shop of ``experiment=smoke`` and its finished study, so that anyone gets the
same. A figure is kept as a picture alone, which every viewer shows; what only this run knows
(paths, counts of executions, times) is not kept.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
from PIL import Image
from plotly.offline import get_plotlyjs

from experiments.common.files import write_atomic
from tests.experiments.browser import open_page

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
SLOWEST_CELL_SECONDS = 600
WIDTH, HEIGHT = 760, 420
"""Of a picture, in pixels, where the figure does not say otherwise."""

N_COLOURS = 64

FIGURE, PICTURE = "application/vnd.plotly.v1+json", "image/png"
KEPT = ("text/markdown", "text/html", PICTURE)
"""What is kept of an output, the first that there is; else its plain text."""

SHOPS = (
    ("sweep", "experiment=smoke", "tracking=none"),
    ("export", "study=smoke"),
)

DRAW = """async ([figure, width, height]) => {
  const place = document.body.appendChild(document.createElement("div"));
  const layout = {...figure.layout, width: figure.layout.width || width,
                  height: figure.layout.height || height};
  await Plotly.newPlot(place, figure.data, layout, {staticPlot: true});
  const address = await Plotly.toImage(place, {format: "png", width: layout.width,
                                               height: layout.height});
  place.remove();
  return address.split(",")[1];
}"""


def render(path: Path, environment: dict[str, str]) -> nbformat.NotebookNode:
    """A notebook with its outputs.

    Args:
        path: The notebook.
        environment: Variables that it reads.
    """
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    os.environ.update(environment)
    resources = {"metadata": {"path": str(path.parent)}}
    NotebookClient(
        notebook, timeout=SLOWEST_CELL_SECONDS, kernel_name="python3", resources=resources
    ).execute()
    with open_page(WIDTH, HEIGHT) as page:
        page.add_script_tag(content=get_plotlyjs())
        for cell in notebook.cells:
            cell.metadata = {}
            if cell.cell_type == "code":
                cell.execution_count = None
                cell.outputs = [_kept(page, output) for output in cell.outputs]
    notebook.metadata = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return notebook


def _kept(page: Any, output: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What stays of an output.

    Raises:
        ValueError: If it is no result but an error or a warning.
    """
    if "data" not in output:
        raise ValueError(f"a notebook must show results alone, got {output}")
    data = output.data
    if FIGURE in data:
        data = {PICTURE: small(page.evaluate(DRAW, [data[FIGURE], WIDTH, HEIGHT]))}
    kind = next((kind for kind in KEPT if kind in data), "text/plain")
    return nbformat.v4.new_output("display_data", data={kind: data[kind]})


def small(picture: str) -> str:
    """A picture in few colours, which is a fraction of its size; Base64 in and out."""
    seen = Image.open(BytesIO(b64decode(picture))).convert("RGB")
    written = BytesIO()
    seen.quantize(N_COLOURS).save(written, "PNG", optimize=True)
    return b64encode(written.getvalue()).decode()


@contextmanager
def finished_shop(folder: Path | None) -> Iterator[Path]:
    """Where the shop and its study lie; swept anew where no folder is given."""
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory() as work:
        for command in SHOPS:
            line = [sys.executable, "-m", "experiments", *command]
            environment = {**os.environ, "PYTHONPATH": str(ROOT)}
            subprocess.run(line, cwd=work, env=environment, check=True)
        yield Path(work)


def main() -> None:
    """Render every notebook, each whole or as it was."""
    parser = argparse.ArgumentParser(prog="make notebooks", description=__doc__)
    parser.add_argument("--folder", type=Path, help="where experiment=smoke was swept and exported")
    with finished_shop(parser.parse_args().folder) as shop:
        environment = {
            "NOTEBOOK_DATA": str(shop / "data" / "planted"),
            "NOTEBOOK_OUTPUTS": str(shop / "outputs"),
            "NOTEBOOK_STUDY": "smoke",
            "PYTHONPATH": str(ROOT),
        }
        for path in NOTEBOOKS:
            write_atomic(path, f"{nbformat.writes(render(path, environment))}\n")
            print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:,.0f} KiB")


if __name__ == "__main__":
    main()
