"""Texts of items and queries as vectors of their parts."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from experiments.config.data import EncoderConfig, PartsConfig
from experiments.data.texts.encoders import TextEncoder, make_encoder
from experiments.data.texts.splitting import split_text

TEXT_COLUMNS = ("text", "title", "body")
"""Columns that are encoded, each as parts of its own: of a query its text, of an item the rest."""


@dataclass(frozen=True)
class Parts:
    """Vectors of some rows, a part each.

    Args:
        vectors: Shape ``(n_parts, D)``.
        row: Shape ``(n_parts,)``, ascending: the row of each.
        is_average: Shape ``(n_parts,)``.
    """

    vectors: NDArray[np.float32]
    row: NDArray[np.int64]
    is_average: NDArray[np.bool_]


class TextParts:
    """Splits and encodes texts; the model is loaded when the first text needs it.

    Args:
        encoder: Which model.
        sizes: How long texts are split.
    """

    def __init__(self, encoder: EncoderConfig, sizes: PartsConfig) -> None:
        self._config, self._sizes = encoder, sizes
        self._encoder: TextEncoder | None = None

    def encoder(self) -> TextEncoder:
        """The model."""
        if self._encoder is None:
            self._encoder = make_encoder(self._config.name, self._config.model)
        return self._encoder

    def encode(self, table: str, rows: pa.Table, chosen: NDArray[np.int64]) -> Parts:
        """The parts of some rows, and of items their average, where they have several.

        Args:
            table: ``items`` or ``queries``; a query is one part.
            rows: With some of the `TEXT_COLUMNS`.
            chosen: Rows to encode, ascending. One whose texts the model does not know has no part.
        """
        texts: list[str] = []
        row: list[int] = []
        for index in chosen.tolist():
            mine = [part for text in texts_of(rows, index) for part in self._split(table, text)]
            texts += mine
            row += [index] * len(mine)
        vectors = self.encoder().encode_known(texts)
        known = vectors.any(axis=1)
        owner = np.array(row, np.int64)[known]
        parts = Parts(vectors[known], owner, np.zeros(len(owner), bool))
        return with_average(parts) if table == "items" and self._sizes.average else parts

    def _split(self, table: str, text: str) -> list[str]:
        if table == "queries":
            return [text]
        sizes = self._sizes
        return split_text(text, sizes.max_tokens, sizes.max_parts, self.encoder().count_tokens)


def with_average(parts: Parts) -> Parts:
    """Add, behind the parts of each row that has several, their mean as a unit vector.

    Example:
        >>> two = Parts(np.eye(2, dtype=np.float32), np.array([7, 7]), np.zeros(2, bool))
        >>> with_average(two).vectors.round(2).tolist()
        [[1.0, 0.0], [0.0, 1.0], [0.7099999785423279, 0.7099999785423279]]
    """
    if not len(parts.row):
        return parts
    rows, first, n_parts = np.unique(parts.row, return_index=True, return_counts=True)
    means = np.add.reduceat(parts.vectors, first, axis=0)
    lengths = np.linalg.norm(means, axis=1)
    several = (n_parts > 1) & (lengths > 0)
    row = np.concatenate([parts.row, rows[several]])
    order = np.argsort(row, kind="stable")
    vectors = np.concatenate([parts.vectors, means[several] / lengths[several, None]])
    is_average = np.concatenate([parts.is_average, np.ones(int(several.sum()), bool)])
    return Parts(vectors[order], row[order], is_average[order])


def texts_of(rows: pa.Table, row: int) -> list[str]:
    """The texts of a row that are not empty."""
    names = [name for name in TEXT_COLUMNS if name in rows.column_names]
    return [text for name in names if (text := rows[name][row].as_py())]


def text_of(rows: pa.Table, row: int) -> str:
    """All texts of a row, for a message."""
    return " ".join(texts_of(rows, row))
