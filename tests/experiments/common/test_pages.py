"""Pages: what stands in every one of them, and the library inside."""

import hashlib
import re
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2 import UndefinedError
from plotly.offline import get_plotlyjs_version

from experiments.common.pages import COMMON, plotly_bundle, render
from experiments.common.plots import IN_THE_DARK, NAMES

DIGEST = "99784e3abfb07b142a15e521a439e6d9addceadb3f79553fd24c72774f0649ba"
ROOT = Path(__file__).parents[3]


def test_the_bundle_is_plotlys_own_and_of_the_same_version_as_its_package():
    text = plotly_bundle()
    assert hashlib.sha256(text.encode()).hexdigest() == DIGEST
    version = get_plotlyjs_version()
    assert text.startswith(f"/**\n* plotly.js (basic - minified) v{version}\n"), (
        "plotly was upgraded: put plotly-basic.min.js and LICENSE of the same release of "
        "plotly.js-basic-dist-min into experiments/common/plotly, and its SHA-256 here"
    )


def test_its_licence_lies_beside_it_and_is_shipped():
    assert files(COMMON).joinpath("plotly", "LICENSE").read_text().startswith("MIT License")
    project = (ROOT / "pyproject.toml").read_text()
    assert '"experiments/common/plotly/LICENSE"' in project


@pytest.mark.parametrize("room", ["common", "review", "data/card"])
def test_every_template_is_shipped(room):
    assert list((ROOT / "experiments" / room / "templates").iterdir())
    package = f"experiments.{room.replace('/', '.')}"
    project = (ROOT / "pyproject.toml").read_text()
    assert re.search(rf'"{re.escape(package)}" = \["templates/\*"', project)


def test_what_is_not_a_template_is_escaped_and_what_is_missing_is_an_error():
    page = render(COMMON, "base.html", title="<b>&")
    assert "<title>&lt;b&gt;&amp;</title>" in page
    with pytest.raises(UndefinedError):
        render(COMMON, "base.html")


def test_both_palettes_stand_in_the_page():
    page = render(COMMON, "base.html", title="")
    light, dark = page.split("prefers-color-scheme: dark", 1)
    for name, colour in NAMES.items():
        assert f"--{name}: {colour};" in light
        assert f"--{name}: {IN_THE_DARK[colour]};" in dark
