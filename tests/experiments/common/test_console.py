"""Text and tables at the width of a terminal."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments.common.console import fitted, fitted_grid, say, width_of

WORDS = st.lists(st.text("abc-.=", min_size=1, max_size=12), min_size=1, max_size=30)
ROWS = [
    ("", "debiased NDCG@10", "MRR", "MAP", "drift"),
    ("no adjustment", ".700", ".731", ".664", ".000"),
    ("similarity + popularity", ".841", ".881", ".791", ".000"),
]


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@given(WORDS, st.integers(16, 60))
def test_no_line_is_wider_and_no_word_is_broken(words, width):
    text = " ".join(words)
    lines = fitted(text, width).splitlines()
    assert max(map(len, lines)) <= width
    assert " ".join(lines).split() == words


def test_a_command_can_still_be_pasted():
    text = "replay it: python -m experiments.evaluate config=outputs/movielens/best.yaml"
    lines = fitted(text, 50).splitlines()
    assert [line[-2:] for line in lines[:-1]] == [" \\"] * (len(lines) - 1)
    assert " ".join(line.removesuffix(" \\").strip() for line in lines) == text
    assert max(map(len, lines)) <= 50


def test_a_command_behind_a_sentence_is_pasted_without_the_sentence():
    text = (
        "Nothing was written, as the verdict is so. All the same: python -m experiments.export a=b"
    )
    assert fitted(text, 40).splitlines() == [
        "Nothing was written, as the verdict is",
        "so. All the same: python -m \\",
        "experiments.export a=b",
    ]


def test_a_sentence_that_names_a_command_is_a_sentence():
    text = "Did you mean smoke? Else run python -m experiments.sweep study.name=smok first."
    assert "\\" not in fitted(text, 40)


def test_a_path_longer_than_the_terminal_stays_whole():
    path = "/" + "a" * 60
    assert path in fitted(f"report: {path}", 40).splitlines()


def test_elsewhere_nothing_is_wrapped(capsys):
    say("x " * 200)
    assert capsys.readouterr().out == "x " * 200 + "\n"
    assert width_of(io.StringIO()) is None
    assert width_of(None) is None


def test_a_terminal_has_the_width_that_it_says(monkeypatch):
    monkeypatch.setenv("COLUMNS", "93")
    assert width_of(Terminal()) == 93


def test_columns_are_left_out_in_the_stated_order_and_that_is_said():
    wide = fitted_grid(ROWS, None, dropped=("MAP", "MRR"))
    assert fitted_grid(ROWS, 80, dropped=("MAP", "MRR")) == wide
    narrow = fitted_grid(ROWS, len(wide[0]) - 1, dropped=("MAP", "MRR"))
    assert narrow[0].split() == ["debiased", "NDCG@10", "MRR", "drift"]
    assert narrow[-1] == "(left out for want of room: MAP)"
    narrower = fitted_grid(ROWS, 50, dropped=("MAP", "MRR"))
    assert narrower[0].split() == ["debiased", "NDCG@10", "drift"]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_what_does_not_fit_even_so_is_folded_between_words(width):
    rows = [("gain", "here"), ("optimism", "the finalist falls by a little from tune to test " * 2)]
    lines = fitted_grid(rows, width, n_left=2)
    assert max(map(len, lines)) <= width
    assert "finalist" in " ".join(lines)
    assert len(lines) > 2


def test_a_word_that_has_no_room_under_the_second_column_begins_further_left():
    link = "http://127.0.0.1:41951/#/experiments/1/runs?workflowType=machine_learning"
    lines = fitted(f"movielens  in experiment {link}", 80).split("\n")
    assert lines == ["movielens  in experiment", link]
