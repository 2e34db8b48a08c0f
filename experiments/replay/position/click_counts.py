"""Shows and clicks by (query, object) pair and position: all that a click model reads."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from experiments.replay.position.impressions import Impressions

BINS = 3
"""Parts by similarity into which the pairs first shown at one position are divided."""

PAIRS_PER_BIN = 10


@dataclass(frozen=True)
class ClickCounts:
    """Rows of counts; a row is a pair, or all pairs alike that were shown once.

    Args:
        row: Shape ``(n_impressions,)``: row of each impression.
        cell: Shape ``(n_impressions,)``: (row, position) of each impression, from 0.
        cell_row: Shape ``(n_cells,)``, ascending.
        cell_position: Shape ``(n_cells,)``.
        skips: Shape ``(n_cells,)``: times shown there and not clicked.
        clicks: Shape ``(n_cells,)``: times clicked there.
        repeats: Shape ``(n_rows,)``: how many pairs the row stands for.
        stratum: Shape ``(n_rows,)``: pairs that were first shown at one position, with
            similar scores, are one stratum.
        n_positions: Number of positions.
    """

    row: NDArray[np.int64]
    cell: NDArray[np.int64]
    cell_row: NDArray[np.int64]
    cell_position: NDArray[np.int64]
    skips: NDArray[np.float64]
    clicks: NDArray[np.float64]
    repeats: NDArray[np.float64]
    stratum: NDArray[np.int64]
    n_positions: int

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.repeats)

    @property
    def n_strata(self) -> int:
        """Number of strata."""
        return int(self.stratum.max(initial=-1)) + 1

    @property
    def single(self) -> NDArray[np.bool_]:
        """Which rows stand for pairs that were shown once, shape ``(n_rows,)``."""
        return np.asarray(np.bincount(self.cell_row, self.skips + self.clicks, self.n_rows) == 1)

    def matrix(self, values: NDArray[np.float64]) -> sparse.csr_matrix:
        """Values of the cells as a sparse matrix, shape ``(n_rows, n_positions)``."""
        starts = np.searchsorted(self.cell_row, np.arange(self.n_rows + 1))
        shape = (self.n_rows, self.n_positions)
        return sparse.csr_matrix((values, self.cell_position, starts), shape)

    def by_position(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sum of the cells' values at each position, each row as often as it stands for pairs."""
        each = values * self.repeats[self.cell_row]
        return np.bincount(self.cell_position, each, self.n_positions).astype(np.float64)

    def weighted(self, weights: NDArray[np.float64], clicked: NDArray[np.bool_]) -> "ClickCounts":
        """The counts with each impression counted as often as its weight says.

        Args:
            weights: Shape ``(n_impressions,)``, >= 0.
            clicked: Shape ``(n_impressions,)``.
        """
        n_cells = len(self.cell_row)
        clicks = np.bincount(self.cell, weights * clicked, n_cells)
        skips = np.bincount(self.cell, weights * ~clicked, n_cells)
        single = self.single
        whole = single[self.cell_row]
        return replace(
            self,
            clicks=np.where(whole, self.clicks, clicks),
            skips=np.where(whole, self.skips, skips),
            repeats=np.where(single, np.bincount(self.row, weights, self.n_rows), self.repeats),
        )


def count_clicks(log: Impressions, score: NDArray[np.floating] | None = None) -> ClickCounts:
    """Count shows and clicks.

    Args:
        log: The impressions.
        score: Shape ``(n_impressions,)``: similarity of query and object, the same whenever the
            pair is shown; tells apart pairs that were first shown at the same position.
    """
    pair, first = log.pair, np.unique(log.pair, return_index=True)[1]
    stratum = _strata(log.depth[first], None if score is None else np.asarray(score)[first])
    shown_once = np.bincount(pair)[pair] == 1
    # Pairs shown once differ only in their stratum and in whether they were clicked.
    alike = -1 - (stratum[pair] * 2 + log.clicked)
    _, starts, row = np.unique(
        np.where(shown_once, alike, pair), return_index=True, return_inverse=True
    )
    n_positions = int(log.depth.max(initial=0)) + 1
    cells, cell = np.unique(row * n_positions + log.depth, return_inverse=True)
    cell_row = cells // n_positions
    repeats = np.where(shown_once[starts], np.bincount(row), 1).astype(np.float64)
    return ClickCounts(
        row=row,
        cell=cell,
        cell_row=cell_row,
        cell_position=cells % n_positions,
        skips=np.bincount(cell, ~log.clicked, len(cells)) / repeats[cell_row],
        clicks=np.bincount(cell, log.clicked, len(cells)) / repeats[cell_row],
        repeats=repeats,
        stratum=stratum[pair[starts]],
        n_positions=n_positions,
    )


def _strata(
    first_position: NDArray[np.int64], score: NDArray[np.floating] | None
) -> NDArray[np.int64]:
    """Number the pairs' strata: by first position, within it by score."""
    n_pairs = len(first_position)
    order = np.lexsort((np.zeros(n_pairs) if score is None else score, first_position))
    counts = np.bincount(first_position)
    n_bins = np.clip(counts // PAIRS_PER_BIN, 1, 1 if score is None else BINS)
    within = np.arange(n_pairs) - np.repeat(np.cumsum(counts) - counts, counts)
    bin_of = within * np.repeat(n_bins, counts) // np.repeat(counts, counts)
    stratum = np.empty(n_pairs, np.int64)
    stratum[order] = np.unique(first_position[order] * BINS + bin_of, return_inverse=True)[1]
    return stratum
