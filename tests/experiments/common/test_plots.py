"""How figures look: colours that can be told from their ground, titles with their unit."""

import plotly.graph_objects as go
import pytest

from experiments.common import plots


def luminance(colour: str) -> float:
    """Relative luminance by WCAG 2."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted([luminance(one), luminance(other)])
    return (high + 0.05) / (low + 0.05)


TEXTS = (plots.INK, plots.SOFT, plots.GREEN, plots.ORANGE)
MARKS = (plots.BLUE, plots.RED, plots.VIOLET, plots.GREY)


@pytest.mark.parametrize("ground", [plots.PAPER, plots.PANEL])
def test_texts_and_marks_stand_out_from_their_ground_in_light_and_dark(ground):
    for colours, least in ((TEXTS, 4.5), (MARKS, 3.0)):
        for colour in colours:
            assert contrast(colour, ground) >= least, colour
            dark, night = plots.IN_THE_DARK[colour], plots.IN_THE_DARK[ground]
            assert contrast(dark, night) >= least, dark


def test_every_colour_of_a_figure_has_one_for_the_dark():
    colours = {value for value in vars(plots).values() if str(value).startswith("#")}
    assert set(plots.IN_THE_DARK) == colours


def test_an_axis_title_has_its_unit_on_a_line_of_its_own():
    figure = plots.style(go.Figure(), x="drift (1 - cosine)", y="trial")
    assert figure.layout.xaxis.title.text == "drift<br>(1 - cosine)"
    assert figure.layout.yaxis.title.text == "trial"


def test_a_name_in_a_figure_cannot_end_its_script():
    figure = plots.style(go.Figure(go.Bar(x=["</script>"], y=[1])), x="", y="")
    item = plots.NamedFigure("n", "t", "c", figure)
    assert "<" not in item.data
    assert item.height == 380
