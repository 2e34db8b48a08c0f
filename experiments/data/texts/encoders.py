"""Vectors of texts: wordllama by default, which needs no download, or sentence-transformers."""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from experiments.common.errors import InputError

BATCH = 1024
MAX_CACHED = 200_000
"""Texts whose vectors are kept; then the cache starts anew."""


class TextEncoder(Protocol):
    """Whatever turns texts into vectors of unit length."""

    dimensions: int

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, shape ``(len(texts), dimensions)``."""
        ...

    def encode_known(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """The same, but a zero vector for a text in which the model knows nothing."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text."""
        ...


class CachedEncoder:
    """Encodes each distinct text once, in batches, and keeps its vector."""

    dimensions: int

    def __init__(self) -> None:
        self._row_of: dict[str, int] = {}
        self._vectors: NDArray[np.float32] | None = None

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, one a text.

        Args:
            texts: Any texts.

        Returns:
            Shape ``(len(texts), dimensions)``.

        Raises:
            InputError: For a text the model finds no token in, whose vector is zero.
        """
        vectors = self.encode_known(texts)
        unknown = np.flatnonzero(~vectors.any(axis=1))
        if len(unknown):
            raise InputError(
                "A text to encode must hold at least one token that the model knows, "
                f"got {texts[unknown[0]]!r:.80}. Leave such rows out."
            )
        return vectors

    def encode_known(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of unit length, or zero for a text in which the model knows nothing."""
        if len(self._row_of) > MAX_CACHED:
            self._row_of, self._vectors = {}, None
        new = list(dict.fromkeys(text for text in texts if text not in self._row_of))
        first = len(self._row_of)
        blocks = [self._unit(new[start : start + BATCH]) for start in range(0, len(new), BATCH)]
        known = np.empty((0, self.dimensions), np.float32)
        if self._vectors is not None:
            known = self._vectors
        self._vectors = np.concatenate([known, *blocks]) if blocks else known
        self._row_of.update({text: first + n for n, text in enumerate(new)})
        return self._vectors[[self._row_of[text] for text in texts]]

    def _unit(self, texts: list[str]) -> NDArray[np.float32]:
        vectors = np.asarray(self._embed(texts), np.float32)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.where(lengths > 0, vectors / np.where(lengths > 0, lengths, 1), 0)

    def _embed(self, texts: list[str]) -> Any:
        raise NotImplementedError


@lru_cache(maxsize=1)
def _load_wordllama() -> Any:
    import wordllama

    # The package carries its weights and tokenizer; nothing is to be fetched.
    return wordllama.WordLlama.load(
        cache_dir=Path(wordllama.__file__).parent, disable_download=True
    )


class WordLlamaEncoder(CachedEncoder):
    """256 numbers a text from the small static model that ships inside `wordllama`.

    Example:
        >>> vectors = WordLlamaEncoder().encode(["war movies", "war movies"])
        >>> vectors.shape, bool(np.allclose(np.linalg.norm(vectors, axis=1), 1))
        ((2, 256), True)
    """

    dimensions = 256

    def __init__(self) -> None:
        super().__init__()
        self._model = _load_wordllama()

    def _embed(self, texts: list[str]) -> Any:
        return self._model.embed(texts)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text."""
        found = self._model.tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [sum(encoding.attention_mask) for encoding in found]


class SentenceTransformersEncoder(CachedEncoder):
    """Any model of `sentence-transformers` (the extra ``encoders``).

    Args:
        model: Name of a model, or a folder that holds one.

    Raises:
        InputError: If the extra is not installed or the model cannot be loaded.
    """

    def __init__(self, model: str) -> None:
        super().__init__()
        try:
            from sentence_transformers import SentenceTransformer
        except ImportError:
            raise InputError(
                "encoder=sentence_transformers needs the extra: pip install '.[encoders]'."
            ) from None
        try:
            self._model = SentenceTransformer(model)
        except (OSError, ValueError) as error:
            raise InputError(
                f"encoder.model must be a sentence-transformers model that can be loaded, "
                f"got {model!r}: {error}"
            ) from None
        self.dimensions = int(self._model.get_sentence_embedding_dimension())

    def _embed(self, texts: list[str]) -> Any:
        return self._model.encode(texts, batch_size=64, show_progress_bar=False)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """The number of tokens of each text."""
        found = self._model.tokenizer(list(texts), add_special_tokens=False)
        return [len(ids) for ids in found["input_ids"]]


def make_encoder(name: str, model: str | None = None) -> TextEncoder:
    """The encoder of a name.

    Args:
        name: ``wordllama`` or ``sentence_transformers``.
        model: Which sentence-transformers model.

    Raises:
        InputError: For another name, or a missing model.
    """
    if name == "wordllama":
        return WordLlamaEncoder()
    if name != "sentence_transformers":
        raise InputError(f"encoder must be wordllama or sentence_transformers, got {name!r}.")
    if not model:
        raise InputError("encoder.model must be set when encoder=sentence_transformers, got none.")
    return SentenceTransformersEncoder(model)
