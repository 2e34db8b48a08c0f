"""What interleaving decides where the truth is planted: a few runs, and fifty of each."""

import pytest

from experiments.benchmarks.live_decisions import DECAYS, KINDS, Run, compare, measure, measured


def test_a_true_gain_turns_it_on_and_a_loss_off_long_before_the_plan_ends():
    for kind, word in (("better", "on"), ("worse", "off")):
        run = compare(kind, 1.0, seed=[0, 1])
        assert (run.word, run.is_wrong) == (word, False)
        assert run.n_sessions < run.n_planned


def test_equal_rankings_go_on_to_the_end():
    run = compare("equal", 0.0, seed=[0, 1])
    assert (run.word, run.n_sessions) == ("undecided", run.n_planned)


def test_what_is_wrong_is_counted_with_its_bound():
    def runs(kind, *words):
        return [Run(kind, 1.0, word, 100, 50) for word in words]

    found = measured(
        [
            *runs("better", "on", "on", "off", "undecided"),
            *runs("equal", "undecided", "off", "on"),
            *runs("worse", "off"),
        ]
    )
    figures = found.figures
    assert figures["live_decisions.better.1.wrong"] == 1
    assert figures["live_decisions.equal.1.wrong"] == 1
    assert figures["live_decisions.not_better.all.runs"] == 4
    assert figures["live_decisions.not_better.all.wrong"] == 1
    # One of four: a share of p shows at most one with (1 - p)^4 + 4 p (1 - p)^3 = .05.
    assert figures["live_decisions.not_better.all.wrong_at_most"] == pytest.approx(0.7514, abs=1e-4)
    assert found.table.splitlines()[0].split()[:5] == ["kind", "decay", "runs", "on", "off"]


@pytest.mark.slow
def test_it_decides_rightly():
    """On for equal or worse at most once in twenty, and four gains of .03 in five are seen."""
    figures = measure(50).figures
    for kind in KINDS:
        for decay in DECAYS:
            name = f"live_decisions.{kind}.{decay:g}".replace(".5", "_5")
            assert figures[f"{name}.wrong"] <= 50 / 20
            if kind == "better":
                assert figures[f"{name}.on"] >= 0.8 * 50
    assert figures["live_decisions.not_better.all.wrong_at_most"] < 0.05
