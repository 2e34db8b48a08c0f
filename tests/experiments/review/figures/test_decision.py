"""What the figures of the decision draw."""

from experiments.review.figures import decision
from tests.experiments.planted_records import comparison, finalist, sealed


def test_a_comparison_is_coloured_by_what_its_interval_says():
    found = {
        "a": comparison(0.15, low=0.1, high=0.2),
        "b": comparison(0.05, low=-0.1, high=0.2),
        "c": comparison(-0.15, low=-0.2, high=-0.1),
        "d": None,
    }
    frame = decision.comparisons_frame(found)
    assert frame["what"].tolist() == ["a", "b", "c"]
    assert frame["colour"].tolist() == [decision.GREEN, decision.GREY, decision.RED]


def test_optimism_shows_the_test_only_once_it_is_open():
    finalists = [finalist(4), finalist(9)]
    assert decision.optimism_frame(finalists, None)["split"].tolist() == ["tune", "tune"]
    opened = decision.optimism_frame(finalists, sealed(trial=4).test)
    assert opened[opened["split"] == "test"]["trial"].tolist() == [4]


def test_a_row_has_its_name_on_the_left_and_its_number_on_the_right_of_the_drawing():
    found = {"over the published defaults, all of them": comparison(0.15, low=0.1, high=0.2)}
    figure = decision.comparisons_figure(decision.comparisons_frame(found), "mrr")
    assert list(figure.layout.yaxis.ticktext) == ["over the published<br>defaults, all of them"]
    (number,) = figure.layout.annotations
    assert (number.text, number.x, number.xref, number.xanchor) == ("+.150", 1, "paper", "left")
    assert figure.layout.margin.r >= 50
