"""A text encoder as searches take it."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class KnowsTexts(Protocol):
    """A model of texts."""

    def encode_known(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors, one a text; zero for one in which the model knows nothing."""


class QueryEncoder:
    """Gives a search's text one vector.

    Args:
        encoder: The model.
    """

    def __init__(self, encoder: KnowsTexts) -> None:
        self._encoder = encoder

    def query_vectors(self, text: str) -> NDArray[np.float32]:
        """See `adjuster.live.http.query_book.Encoder`."""
        rows = self._encoder.encode_known([text])
        if not rows.any():
            raise ValueError(
                f"search_query {text!r:.80} holds no token that the encoder knows. Send its "
                "vector as query_vector."
            )
        return rows
