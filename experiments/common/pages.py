"""Pages that need nothing else: templates, one style in light and dark, Plotly inside.

Plotly's package for Python ships the whole library alone, 4.8 MB. Its basic bundle (lines, dots,
bars) is a quarter of that and lies in ``plotly/`` as it was released, under its MIT licence;
``tests/experiments/common/test_pages.py`` holds its digest, and its version to the package's.
"""

from functools import cache
from importlib.resources import files

from jinja2 import ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from experiments.common.plots import IN_THE_DARK, NAMES

COMMON = "experiments.common"


def render(room: str, template: str, **facts: object) -> str:
    """A page as text; whatever is not a template is escaped.

    Args:
        room: Package whose folder ``templates`` holds the template.
        template: Its file name.
        facts: What the template names; one that is missing is an error.
    """
    return (
        _environment(room)
        .get_template(template)
        .render(**facts, colours=NAMES, in_the_dark=IN_THE_DARK, plotly=Markup(plotly_bundle()))
    )


@cache
def plotly_bundle() -> str:
    """Plotly's basic bundle."""
    return files(COMMON).joinpath("plotly", "plotly-basic.min.js").read_text(encoding="utf-8")


@cache
def _environment(room: str) -> Environment:
    return Environment(
        loader=ChoiceLoader([PackageLoader(room), PackageLoader(COMMON)]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
