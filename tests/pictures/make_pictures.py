"""``make pictures``: what a study looks like, seen in Chromium, as the pictures of the README.

The study must be finished, its sealed test open, its runs in MLflow: ``make sweep``, then
``make export ARGS="study=movielens"``. Pictures hold aggregate figures of its data, nothing else.
"""

import argparse
import sys
from collections.abc import Callable
from functools import partial
from io import BytesIO, StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

from experiments.common.console import fitted
from experiments.review.terminal import sealed_text
from experiments.study_folder.finished_study import FinishedStudy, read_study
from tests.experiments.browser import open_page
from tests.experiments.dashboard_server import dashboard_server
from tests.experiments.mlflow_server import free_port, mlflow_server
from tests.pictures.mlflow_pages import AT_REST, picture_compare, picture_list

DOCS = Path(__file__).parents[2] / "docs"

LARGEST = 200_000
"""Bytes of a picture at most."""

COLUMNS = 100
"""Of the terminal."""

THEME = TerminalTheme((18, 23, 29), (228, 233, 238), [(228, 233, 238)] * 8)
TERMINAL = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 16px 20px; background: {background}; color: {foreground}; }}
pre {{ margin: 0; font: 14px/1.35 "DejaVu Sans Mono", monospace; }}
</style><pre>{code}</pre>"""


def main() -> int:
    """Make every picture; 2 where there is no such study."""
    parser = argparse.ArgumentParser(prog="make pictures", description=__doc__.split("\n")[0])
    parser.add_argument("--study", default="movielens", help="name of the study")
    parser.add_argument("--output-dir", type=Path, default=Path("outputs"), help="where it lies")
    parser.add_argument("--docs", type=Path, default=DOCS, help="where the pictures go")
    given = parser.parse_args()
    study = read_study(given.output_dir, given.study)
    if study.test is None:
        print(f"The sealed test is not open. Run {study.opening} first.", file=sys.stderr)
        return 2
    keep = partial(_keep, given.docs)
    _picture_report(study, keep)
    _picture_terminal(study, keep)
    _picture_mlflow(study, given.output_dir, keep)
    _picture_dashboard(study, given.output_dir, keep)
    return 0


Keep = Callable[[str, bytes], None]
"""Takes a picture's name and its PNG."""


def _keep(docs: Path, name: str, png: bytes) -> None:
    """Write a picture, with fewer colours where it would be too large."""
    image = Image.open(BytesIO(png)).convert("RGB")
    content = _png(image)
    if len(content) > LARGEST:
        content = _png(image.quantize(256, dither=Image.Dither.NONE))
    if len(content) > LARGEST:
        raise ValueError(f"{name}.png must have at most {LARGEST:,} bytes, got {len(content):,}.")
    (docs / f"{name}.png").write_bytes(content)
    print(f"{docs / name}.png: {len(content):,} bytes")


def _png(image: Image.Image) -> bytes:
    content = BytesIO()
    image.save(content, "PNG", optimize=True)
    return content.getvalue()


def _picture_report(study: FinishedStudy, keep: Keep) -> None:
    page_file = study.folder / "report.html"
    for name, width, height, is_dark in (
        ("report", 1280, 800, False),
        ("report_dark", 1280, 800, True),
        ("report_phone", 390, 844, False),
    ):
        with open_page(width, height, offline=True, is_dark=is_dark) as page:
            page.goto(page_file.resolve().as_uri())
            page.wait_for_function(
                "() => [...document.querySelectorAll('.plot')].every((plot) => plot._fullLayout)"
            )
            keep(name, page.screenshot())


def _picture_terminal(study: FinishedStudy, keep: Keep) -> None:
    """What the export printed of the sealed test, on a terminal."""
    said = fitted(sealed_text(study.summary, best=study.tune_best, width=COLUMNS), COLUMNS)
    console = Console(record=True, width=COLUMNS, file=StringIO(), color_system="truecolor")
    console.print(Text(f"$ {study.opening}", style="bold"), Text(said), sep="\n")
    html = console.export_html(theme=THEME, inline_styles=True, code_format=TERMINAL)
    with open_page(900, 300, offline=True) as page:
        page.set_content(html)
        keep("terminal", page.screenshot(full_page=True))


def _picture_mlflow(study: FinishedStudy, output_dir: Path, keep: Keep) -> None:
    port = free_port()
    with mlflow_server(output_dir.resolve(), port), open_page(1500, 900) as page:
        address = f"http://127.0.0.1:{port}"
        keep("mlflow", picture_list(page, address, study.name, output_dir))
        keep("mlflow_compare", picture_compare(page, address, study.name, output_dir))


def _picture_dashboard(study: FinishedStudy, output_dir: Path, keep: Keep) -> None:
    journal = output_dir / "studies" / f"{study.name}.journal"
    with (
        TemporaryDirectory() as folder,
        dashboard_server(journal, Path(folder) / "dashboard.log") as address,
        open_page(1400, 900) as page,
    ):
        page.goto(f"{address}/studies/0")
        page.get_by_text("Best Trial (number=").wait_for()
        page.locator(".js-plotly-plot").first.wait_for()
        page.wait_for_timeout(AT_REST)
        keep("optuna_dashboard", page.screenshot())


if __name__ == "__main__":
    sys.exit(main())
