"""The position-based click model: how likely a result at each position is examined.

P(click) = θ(position) · γ(query, object), after Richardson, Dominowska and Ragno (WWW 2007). One
γ a pair as a free number is biased (Neyman and Scott, Econometrica 1948): most pairs are shown a
few times. So γ is drawn, logit γ ~ Normal(centre, spread²), and the law is estimated too
(empirical Bayes on a grid). The centre is another one for each position at which a pair was
shown first (correlated random effects: Wooldridge, Journal of Applied Econometrics 2005), so
that "what is good stands on top" is not mistaken for examination: only pairs that moved tell θ.
Being a likelihood, it may be given logs whose order follows earlier clicks, where comparing the
pairs that were shown at two positions (intervention harvesting: Agarwal, Zaitsev, Wang, Li,
Najork and Joachims, WSDM 2019) selects by the clicks that moved them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.special import expit, logit, softmax

from experiments.replay.position.click_counts import ClickCounts

N_LEVELS = 40
"""Points of the grid of γ; few make the law's centre stick to them."""

BELOW, ABOVE, HIGHEST = 50.0, 15.0, 0.97
"""The grid's ends: the reference position's click rate over and times these, at most the last."""

SLOPE_SD = 1.5
"""What is believed of the power of the rank by which examination falls: 0, give or take this."""

STEP_SD = 0.4
"""Typical departure of a step of log θ from that power: pools positions with few clicks."""

MAX_ROUNDS = 100
TOLERANCE = 3e-4
"""Rounds end when no log θ changes by more."""

FLOOR = 1e-4
LARGEST = 0.999
_TINY = 1e-12
_LONGEST_LEAP = 20.0


@dataclass(frozen=True)
class ClickModel:
    """A fitted click model; made by `fit_click_model`.

    Args:
        log_theta: Shape ``(n_positions,)``: log examination, 0 at the position with most clicks.
        centre: Shape ``(n_strata,)``: mean of logit γ in each stratum.
        log_spread: Log of the standard deviation of logit γ, common to the strata.
        grid: Shape ``(N_LEVELS,)``: levels of logit γ, ascending at equal steps.
    """

    log_theta: NDArray[np.float64]
    centre: NDArray[np.float64]
    log_spread: float
    grid: NDArray[np.float64]

    @property
    def levels(self) -> NDArray[np.float64]:
        """The levels of γ, shape ``(N_LEVELS,)``."""
        return np.asarray(expit(self.grid))

    @property
    def law(self) -> NDArray[np.float64]:
        """Chance of each level in each stratum, shape ``(n_strata, N_LEVELS)``."""
        distance = (self.grid - self.centre[:, None]) / np.exp(self.log_spread)
        return np.asarray(softmax(-0.5 * distance**2, axis=1))

    @property
    def theta(self) -> NDArray[np.float64]:
        """Examination by position, scaled so that the largest is 1; at least 0.0001."""
        return np.asarray(np.maximum(np.exp(self.log_theta - self.log_theta.max()), FLOOR))

    @property
    def chances(self) -> NDArray[np.float64]:
        """Chance of a click by position and level, shape ``(n_positions, N_LEVELS)``."""
        return np.asarray(np.minimum(np.exp(self.log_theta)[:, None] * self.levels, LARGEST))


@dataclass(frozen=True)
class Posterior:
    """What a row's clicks say of its γ: chance of each level, shape ``(n_rows, N_LEVELS)``."""

    of_level: NDArray[np.float64]
    log_likelihood: float


class Fitter:
    """One set of counts, laid out for the rounds of a fit.

    Args:
        counts: Shows and clicks.
    """

    def __init__(self, counts: ClickCounts) -> None:
        self.counts = counts
        self.skips = counts.matrix(counts.skips.astype(np.float32))
        self.skips_by_position = (counts.matrix(counts.skips * counts.repeats[counts.cell_row])).T
        clicks_of_row = np.bincount(counts.cell_row, counts.clicks, counts.n_rows)
        self.clicks_of_row = clicks_of_row.astype(np.float32)
        self.clicks_at = counts.by_position(counts.clicks)
        self.reference = int(np.argmax(self.clicks_at))
        rows = np.arange(counts.n_rows)
        shape = (counts.n_strata, counts.n_rows)
        self.members = sparse.csr_matrix((counts.repeats, (counts.stratum, rows)), shape)
        self.n_pairs = np.bincount(counts.stratum, counts.repeats, counts.n_strata)
        self.penalty = smoothness(counts.n_positions)

    def posterior(self, model: ClickModel) -> Posterior:
        """Chance of each level of each row, given its clicks."""
        # Single precision: the exponentials are most of a fit's time.
        weight = self.skips @ np.log1p(-model.chances).astype(np.float32)  # (rows, levels)
        weight += self.clicks_of_row[:, None] * np.log(model.levels).astype(np.float32)
        weight += np.log(np.maximum(model.law, _TINY)).astype(np.float32)[self.counts.stratum]
        top = weight.max(axis=1, keepdims=True)
        np.exp(np.subtract(weight, top, out=weight), out=weight)
        total = weight.sum(axis=1, keepdims=True)
        weight /= total
        theta = model.log_theta
        fit = self.counts.repeats @ (top + np.log(total)).ravel() + self.clicks_at @ theta
        return Posterior(weight, float(fit - 0.5 * theta @ self.penalty @ theta))

    def round(self, model: ClickModel) -> tuple[ClickModel, float]:
        """One round of expectation and maximisation, and the fit that it started from."""
        posterior = self.posterior(model)
        skipped = self.skips_by_position @ posterior.of_level  # (positions, levels)
        log_theta = model.log_theta
        for _ in range(3):
            log_theta = log_theta + self._newton_step(log_theta, skipped, model.levels)
        centre, log_spread = self._law(posterior, model.grid)
        return ClickModel(log_theta, centre, log_spread, model.grid), posterior.log_likelihood

    def _law(
        self, posterior: Posterior, grid: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], float]:
        """Centres and spread of logit γ; one more pair of the common mean steadies a centre."""
        mass = self.members @ posterior.of_level  # (strata, levels)
        total = mass.sum(axis=0)
        common = float(total @ grid) / total.sum()
        centre = (mass @ grid + common) / (self.n_pairs + 1.0)
        variance = float((mass * (grid - centre[:, None]) ** 2).sum()) / total.sum()
        least = (grid[1] - grid[0]) / 2
        return centre, float(np.log(max(np.sqrt(variance), least)))

    def _newton_step(
        self,
        log_theta: NDArray[np.float64],
        skipped: NDArray[np.float64],
        levels: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Of log θ, given how often each level was passed over at each position."""
        chance = np.minimum(np.exp(log_theta)[:, None] * levels, LARGEST)
        odds = chance / (1 - chance)
        slope = self.clicks_at - (skipped * odds).sum(axis=1) - self.penalty @ log_theta
        bend = np.diag((skipped * odds * (1 + odds)).sum(axis=1) + 1e-9) + self.penalty
        return np.clip(solve_free(bend, slope, self.reference), -1.0, 1.0)


def fit_click_model(counts: ClickCounts, *, max_rounds: int = MAX_ROUNDS) -> ClickModel:
    """Fit examination by position and the laws of γ by maximum (penalised) likelihood.

    Expectation maximisation over counts, sped up by extrapolation (SQUAREM: Varadhan and Roland,
    Scandinavian Journal of Statistics 2008): two rounds, a leap along their direction, and a
    third round from there, which is dropped where it fits worse.

    Args:
        counts: Shows and clicks, at least one of them a click.
        max_rounds: Leaps at most.
    """
    fitter = Fitter(counts)
    model = _start(counts)
    for _ in range(max_rounds):
        once, _ = fitter.round(model)
        twice, fit = fitter.round(once)
        leapt, leapt_fit = fitter.round(_leap(model, once, twice))
        following = leapt if leapt_fit >= fit else twice
        change = float(np.abs(following.log_theta - model.log_theta).max())
        model = following
        if change < TOLERANCE:
            break
    return model


def smoothness(n_positions: int) -> NDArray[np.float64]:
    """Precision of log θ as believed before any click, shape ``(n_positions, n_positions)``.

    log θ falls by (slope · log((k + 2) / (k + 1)) + chance) from position k to the next, with
    slope ~ Normal(0, SLOPE_SD²) and chance ~ Normal(0, STEP_SD²): about a power of the rank, of
    which power and departures are learnt. Its level is left open.
    """
    steps = np.diff(np.eye(n_positions), axis=0)
    fall = np.log1p(1.0 / np.arange(1, n_positions))
    spread = STEP_SD**2 * np.eye(n_positions - 1) + SLOPE_SD**2 * np.outer(fall, fall)
    return np.asarray(steps.T @ np.linalg.solve(spread, steps))


def solve_free(
    matrix: NDArray[np.float64], right: NDArray[np.float64], held: int
) -> NDArray[np.float64]:
    """Solve a linear system for all unknowns but one, which is held at 0.

    Args:
        matrix: Shape ``(n, n)``.
        right: Shape ``(n,)`` or ``(n, n_systems)``.
        held: The unknown that is held.

    Example:
        >>> solve_free(np.array([[2.0, 0.0], [0.0, 4.0]]), np.array([2.0, 2.0]), 0).tolist()
        [0.0, 0.5]
    """
    free = np.arange(len(matrix)) != held
    solution = np.zeros_like(right)
    solution[free] = np.linalg.solve(matrix[np.ix_(free, free)], right[free])
    return solution


def _start(counts: ClickCounts) -> ClickModel:
    clicks = counts.by_position(counts.clicks)
    shown = counts.by_position(counts.skips + counts.clicks)
    rates = (clicks + clicks.sum() / shown.sum()) / (shown + 1.0)
    reference = int(np.argmax(clicks))
    rate = min(rates[reference], HIGHEST / 2)
    ends = rate / BELOW, min(rate * ABOVE, HIGHEST)
    return ClickModel(
        # Half of what position would be if all results were alike: the truth may be either way.
        log_theta=0.5 * np.log(rates / rates[reference]),
        centre=np.full(counts.n_strata, logit(rate)),
        log_spread=0.0,
        grid=np.linspace(logit(ends[0]), logit(ends[1]), N_LEVELS),
    )


def _leap(first: ClickModel, second: ClickModel, third: ClickModel) -> ClickModel:
    """Go on in the direction of two rounds."""
    points = [
        np.concatenate([one.log_theta, one.centre, [one.log_spread]])
        for one in (first, second, third)
    ]
    along = points[1] - points[0]
    bend = points[2] - points[1] - along
    length = float(np.linalg.norm(along)) / max(float(np.linalg.norm(bend)), _TINY)
    length = float(np.clip(length, 1.0, _LONGEST_LEAP))
    reached = points[0] + 2 * length * along + length**2 * bend
    n, grid = len(first.log_theta), first.grid
    least = float(np.log((grid[1] - grid[0]) / 2))
    return ClickModel(
        np.clip(reached[:n], np.log(FLOOR), 3.0),
        np.clip(reached[n:-1], grid[0], grid[-1]),
        float(np.clip(reached[-1], least, 2.0)),
        grid,
    )
