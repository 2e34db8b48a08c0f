"""Texts become unit vectors, each once."""

import builtins

import numpy as np
import pytest

from experiments.common.errors import InputError
from experiments.data.texts.encoders import CachedEncoder, WordLlamaEncoder, make_encoder


class CountingEncoder(CachedEncoder):
    dimensions = 2

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []

    def _embed(self, texts: list[str]) -> list[list[float]]:
        self.seen += texts
        return [[len(text), 1.0 if text else 0.0] for text in texts]


def test_each_distinct_text_is_encoded_once():
    encoder = CountingEncoder()
    first = encoder.encode(["bb", "a", "bb"])
    second = encoder.encode(["ccc", "a"])
    assert encoder.seen == ["bb", "a", "ccc"]
    np.testing.assert_array_equal(first[0], first[2])
    np.testing.assert_array_equal(first[1], second[1])


def test_vectors_have_unit_length():
    vectors = CountingEncoder().encode(["bb", "a", "dddd"])
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(vectors[0], np.array([2, 1]) / np.sqrt(5), rtol=1e-6)


def test_many_texts_keep_their_order_over_batches():
    texts = [f"{'x' * (n % 90 + 1)}" for n in range(3000)] + [str(n) for n in range(2500)]
    encoder = CountingEncoder()
    vectors = encoder.encode(texts)
    ratio = vectors[:, 0] / vectors[:, 1]
    np.testing.assert_allclose(ratio, [len(text) for text in texts], rtol=1e-5)


def test_no_texts_give_no_vectors():
    assert CountingEncoder().encode([]).shape == (0, 2)


def test_a_text_without_tokens_is_an_error():
    with pytest.raises(InputError, match="at least one token that the model knows, got ''"):
        CountingEncoder().encode(["a", ""])


def test_wordllama_puts_related_words_together():
    war, battle, cake = WordLlamaEncoder().encode(["war", "battle", "chocolate cake"])
    assert war.dtype == np.float32
    assert war @ battle > war @ cake


def test_the_same_text_has_the_same_vector_in_another_encoder():
    one, two = WordLlamaEncoder(), WordLlamaEncoder()
    np.testing.assert_array_equal(one.encode(["a", "war"])[1], two.encode(["war"])[0])


def test_an_unknown_encoder_is_named():
    with pytest.raises(InputError, match=r"encoder must be wordllama or .*, got 'bert'"):
        make_encoder("bert")


def test_sentence_transformers_needs_a_model():
    with pytest.raises(InputError, match=r"encoder\.model must be set"):
        make_encoder("sentence_transformers")


def test_a_missing_extra_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name: str, *rest: object) -> object:
        if name == "sentence_transformers":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(InputError, match=r"pip install '\.\[encoders\]'"):
        make_encoder("sentence_transformers", "any")
