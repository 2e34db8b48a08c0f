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
