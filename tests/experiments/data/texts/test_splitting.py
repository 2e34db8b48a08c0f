"""Long texts are split between words into parts that hold at most so many tokens."""

from hypothesis import given
from hypothesis import strategies as st

from experiments.data.texts.encoders import WordLlamaEncoder
from experiments.data.texts.splitting import split_text


def letters(words):
    return [len(word) for word in words]


def test_parts_are_filled_in_order():
    assert split_text("aa bb ccc d eeeee", 4, 9, letters) == ["aa bb", "ccc d", "eeeee"]


def test_a_longer_word_is_a_part_of_its_own():
    assert split_text("a bbbbbb c", 3, 9, letters) == ["a", "bbbbbb", "c"]


def test_the_rest_of_a_longer_text_is_left_out():
    assert split_text("aa bb cc", 2, 2, letters) == ["aa", "bb"]


def test_a_blank_text_has_no_parts():
    assert split_text("", 5, 9, letters) == []
    assert split_text("  ", 5, 9, letters) == []
    assert split_text(" " * 50, 5, 9, letters) == []


@given(text=st.text(st.sampled_from("ab \n"), max_size=80), size=st.integers(1, 9))
def test_no_word_is_lost_and_no_part_too_long(text, size):
    parts = split_text(text, size, 1000, letters)
    assert [word for part in parts for word in part.split()] == text.split()
    for part in parts:
        assert len(part.split()) <= 1 or sum(letters(part.split())) <= size


def test_tokens_are_the_models():
    encoder = WordLlamaEncoder()
    text = "internationalization of unbelievably long compound words " * 20
    parts = split_text(text, 32, 99, encoder.count_tokens)
    assert len(parts) > 1
    assert " ".join(parts).split() == text.split()
    assert max(encoder.count_tokens(parts)) <= 32
