"""How well a log tells examination by position: information, standard errors, bootstrap."""

import numpy as np
from numpy.typing import NDArray

from experiments.replay.position.click_counts import ClickCounts
from experiments.replay.position.click_model import ClickModel, smoothness, solve_free
from experiments.replay.position.impressions import Impressions

N_DRAWS = 40
FARTHEST = 2.0
"""A draw moves no log θ by more."""

VAGUE_SD = 2.0
"""What is believed of a log θ that nothing tells: known within a factor of e² or so."""


def information(counts: ClickCounts, theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Information on log θ in how one pair's clicks divide among its positions.

    Given the number m of a pair's clicks, they fall on its positions with chances q_k in
    proportion to shows · θ, whatever its γ (exact for clicks that are rare, the conditional
    likelihood of Poisson counts: Hausman, Hall and Griliches, Econometrica 1984), so its
    information is m (diag q - q qᵀ): none from a pair that was never moved.

    Args:
        counts: Shows and clicks.
        theta: Shape ``(n_positions,)``.

    Returns:
        Shape ``(n_positions, n_positions)``.
    """
    shown = counts.skips + counts.clicks
    expected = counts.matrix(shown * theta[counts.cell_position])
    total = np.asarray(expected.sum(axis=1)).ravel()
    clicks = np.bincount(counts.cell_row, counts.clicks, counts.n_rows) * counts.repeats
    share = expected.multiply(1.0 / np.maximum(total, 1e-300)[:, None]).tocsr()
    mine = share.multiply(clicks[:, None]).tocsr()
    return np.asarray(np.diag(np.asarray(mine.sum(axis=0)).ravel()) - (share.T @ mine).toarray())


def log_error(counts: ClickCounts, theta: NDArray[np.float64]) -> float:
    """Typical standard error of log θ where clicks are weighted by it.

    The root mean square, over the weight that clicks carry, of the standard error of log θ
    against its weighted mean: a common factor does not matter. About `VAGUE_SD` where no pair
    was moved.
    """
    mass = counts.by_position(counts.clicks) / theta
    mass = mass / mass.sum()
    n = counts.n_positions
    covariance = np.linalg.inv(information(counts, theta) + np.eye(n) / VAGUE_SD**2)
    centre = np.eye(n) - mass  # (positions, positions): each less the weighted mean
    variance = np.einsum("ij,jk,ik->i", centre, covariance, centre)
    return float(np.sqrt(mass @ variance))


def draw_theta(
    log: Impressions,
    counts: ClickCounts,
    model: ClickModel,
    *,
    seed: int,
    n_draws: int = N_DRAWS,
) -> NDArray[np.float64]:
    """Examination by position as other people's clicks would have given it.

    A Bayesian bootstrap over users (Rubin, Annals of Statistics 1981; a session of unknown user
    is a user of its own): weights are drawn, and the estimate takes one Newton step on the score
    of the likelihood that `information` describes, less the score at equal weights.

    Args:
        log: The impressions.
        counts: Their counts.
        model: Fitted to them.
        seed: Seed of the weights.
        n_draws: How many.

    Returns:
        Shape ``(n_draws, n_positions)``: θ, scaled so that all clicks carry the same weight in
        sum as under the model.
    """
    rng = np.random.default_rng(seed)
    theta, clicks = model.theta, counts.by_position(counts.clicks)
    bend = information(counts, theta) + smoothness(counts.n_positions)
    n_clusters = int(log.cluster.max(initial=-1)) + 1
    scores = np.empty((counts.n_positions, n_draws))
    for draw in range(n_draws):
        weight = rng.standard_exponential(n_clusters)
        each = (weight / weight.mean())[log.cluster][log.session]
        scores[:, draw] = _score(counts.weighted(each, log.clicked), theta)
    scores -= _score(counts, theta)[:, None]
    steps = solve_free(bend, scores, int(np.argmax(clicks))).T
    drawn = theta * np.exp(np.clip(steps, -FARTHEST, FARTHEST))
    scale = (clicks / drawn).sum(axis=1) / (clicks / theta).sum()
    return np.asarray(drawn * scale[:, None])


def _score(counts: ClickCounts, theta: NDArray[np.float64]) -> NDArray[np.float64]:
    """Slope in log θ of the chance that each pair's clicks divide as they do."""
    expected = (counts.skips + counts.clicks) * theta[counts.cell_position]
    total = np.bincount(counts.cell_row, expected, counts.n_rows)
    clicks = np.bincount(counts.cell_row, counts.clicks, counts.n_rows)
    ratio = clicks / np.maximum(total, 1e-300)
    return counts.by_position(counts.clicks - expected * ratio[counts.cell_row])
