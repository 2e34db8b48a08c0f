"""The documented semantics by torch's autograd and optimizers, on any device.

The kernel computes the same numbers by analytic gradients; this is its oracle, and the engine
where vectors live on another device.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from adjuster.config import AdjusterConfig
from adjuster.feedback import FeedbackBatch, batch_in_range
from adjuster.index import MetricType, SearchIndexInfo
from adjuster.losses import check_bias, curvature
from adjuster.scale import shifted
from adjuster.torch_engine.drift_bound import bound_drift
from adjuster.torch_engine.loss import term_loss
from adjuster.torch_engine.newton import Posterior
from adjuster.torch_engine.similarity import pool, similarity


def adjust_with_autograd(
    batch: FeedbackBatch,
    index: SearchIndexInfo,
    config: AdjusterConfig,
    *,
    device: str | torch.device = "cpu",
) -> NDArray[np.floating]:
    """Adjust a batch of objects, each independently of the others.

    An object's loss is the sum of its terms' losses (see `term_loss`), divided by its total
    weight Σ (clicked + non_clicked_weight · unclicked) under ``reduction="mean"``, plus
    anchor_weight / 2 · |x - original|² over its parts. The optimizer starts fresh: AdamW (betas
    .9 and .999, epsilon 1e-8, decoupled weight decay .01); or it is gradient descent, whose step
    under cosine is at most |x|² / (`curvature` · weight + anchor_weight · |x|²) with x where the
    part starts, so that no amount of feedback makes it overshoot; or it is Newton's, which keeps
    lengths under cosine and counts the anchor per |original|² there. `max_drift` is applied once,
    at the end. An object whose total weight is 0 is not touched at all.

    Args:
        batch: Objects, parts and terms. Its arrays are not changed.
        index: Metric and pooling.
        config: The settings; `memory` is the business of whoever builds the batch.
        device: Where to compute.

    Returns:
        Shape ``(n_parts, D)``, dtype of ``batch.vectors``: where each part ends.

    Raises:
        ValueError: If the loss is logistic and its bias is still ``auto``.

    Example:
        >>> batch = FeedbackBatch(
        ...     vectors=np.array([[1.0, 0.0]]),
        ...     originals=np.array([[1.0, 0.0]]),
        ...     object_offsets=np.array([0, 1]),
        ...     query_vectors=np.array([[0.0, 1.0]]),
        ...     query_offsets=np.array([0, 1]),
        ...     term_offsets=np.array([0, 1]),
        ...     term_query=np.array([0]),
        ...     term_clicked=np.array([1.0]),
        ...     term_unclicked=np.array([0.0]),
        ... )
        >>> config = AdjusterConfig(loss="linear", optimizer="sgd", num_iterations=1)
        >>> adjust_with_autograd(batch, SearchIndexInfo(2, "dot"), config).round(3).tolist()
        [[1.0, 0.1]]
    """
    check_bias(config)
    if index.metric_type is MetricType.COSINE:
        safe, shifts = batch_in_range(batch)
        return shifted(_adjust(safe, index, config, torch.device(device)), -shifts)
    return _adjust(batch, index, config, torch.device(device))


def _adjust(
    batch: FeedbackBatch, index: SearchIndexInfo, config: AdjusterConfig, device: torch.device
) -> NDArray[np.floating]:
    """`adjust_with_autograd` for vectors whose squares can be computed."""
    problem = _Problem.of(batch, config, device)
    if not len(problem.part_rows) or not config.num_iterations:
        return batch.vectors.copy()
    adjusted = batch.vectors.copy()
    moved = problem.solve(index, config).cpu().numpy()
    adjusted[problem.part_rows] = bound_drift(
        moved, batch.originals[problem.part_rows], config.max_drift
    )
    return adjusted


@dataclass(frozen=True)
class _Problem:
    """The objects that have something to learn, flat, as tensors.

    A *pair* is a (term, query part, object part); pairs of one term are one segment.
    """

    part_rows: NDArray[np.int64]  # (n_moving,) rows of the batch
    start: Tensor  # (n_moving, D)
    originals: Tensor  # (n_moving, D)
    queries: Tensor  # (n_query_parts, D)
    weight: Tensor  # (n_moving, 1) of the object's terms, as they enter the loss
    pair_query: Tensor  # (n_pairs,)
    pair_part: Tensor  # (n_pairs,) index among the moving parts
    pair_term: Tensor  # (n_pairs,)
    clicked: Tensor  # (n_terms,)
    unclicked: Tensor  # (n_terms,)
    part_object: Tensor  # (n_moving,)
    term_object: Tensor  # (n_terms,)
    n_objects: int

    @classmethod
    def of(cls, batch: FeedbackBatch, config: AdjusterConfig, device: torch.device) -> "_Problem":
        clicked = batch.term_clicked
        unclicked = config.non_clicked_weight * batch.term_unclicked
        term_object = np.repeat(np.arange(batch.n_objects), np.diff(batch.term_offsets))
        weight = np.bincount(term_object, clicked + unclicked, minlength=batch.n_objects)
        moving = weight > 0
        terms = np.flatnonzero(moving[term_object])
        n_parts = np.diff(batch.object_offsets)
        part_rows = np.flatnonzero(np.repeat(moving, n_parts))
        first_part = np.cumsum(n_parts * moving) - n_parts * moving
        object_of = term_object[terms]
        query_of = batch.term_query[terms]
        n_query_parts = np.diff(batch.query_offsets)[query_of]
        pair_term, inside = _ragged(n_query_parts * n_parts[object_of])
        n_mine = n_parts[object_of][pair_term]
        divisor = weight[object_of] if config.reduction == "mean" else 1.0
        pull = np.sign(weight) if config.reduction == "mean" else weight
        dtype = batch.vectors.dtype

        def tensor(array: NDArray[np.generic]) -> Tensor:
            return torch.tensor(array, device=device)

        return cls(
            part_rows=part_rows,
            start=tensor(batch.vectors[part_rows]),
            originals=tensor(batch.originals[part_rows].astype(dtype, copy=False)),
            queries=tensor(batch.query_vectors.astype(dtype, copy=False)),
            pair_query=tensor(batch.query_offsets[query_of][pair_term] + inside // n_mine),
            pair_part=tensor(first_part[object_of][pair_term] + inside % n_mine),
            pair_term=tensor(pair_term),
            weight=torch.tensor(np.repeat(pull, n_parts)[part_rows]).unsqueeze(1),
            clicked=tensor((clicked[terms] / divisor).astype(dtype)),
            unclicked=tensor((unclicked[terms] / divisor).astype(dtype)),
            part_object=tensor(np.repeat(np.arange(batch.n_objects), n_parts)[part_rows]),
            term_object=tensor(object_of),
            n_objects=batch.n_objects,
        )

    def solve(self, index: SearchIndexInfo, config: AdjusterConfig) -> Tensor:
        if config.optimizer == "newton":
            return self.posterior(index, config).maximize(self.start)
        return self.descend(index, config)

    def posterior(self, index: SearchIndexInfo, config: AdjusterConfig) -> Posterior:
        """What Newton's method maximizes; under cosine the prior is per |original|²."""
        priors, lengths = torch.full_like(self.start[:, 0], config.anchor_weight), None
        if index.metric_type is MetricType.COSINE:
            lengths = self.originals.norm(dim=1)
            priors = torch.where(lengths > 0, priors / lengths.square(), priors)
        return Posterior(
            pooled=lambda vectors: self.pooled(vectors, index, config),
            clicked=self.clicked,
            unclicked=self.unclicked,
            originals=self.originals,
            priors=priors,
            part_object=self.part_object,
            term_object=self.term_object,
            n_objects=self.n_objects,
            config=config,
            lengths=lengths,
        )

    def descend(self, index: SearchIndexInfo, config: AdjusterConfig) -> Tensor:
        vectors = self.start.clone().requires_grad_(True)
        optimizer = _optimizer(vectors, config)
        rates = self.rates(index, config)
        for _ in range(config.num_iterations):
            optimizer.zero_grad()
            torch.autograd.backward(self.loss(vectors, index, config))
            if vectors.grad is not None and config.optimizer == "sgd":
                vectors.grad *= rates
            optimizer.step()
        return vectors.detach()

    def rates(self, index: SearchIndexInfo, config: AdjusterConfig) -> Tensor:
        """Step of gradient descent for each part. Shape ``(n_parts, 1)``."""
        rates = torch.full((len(self.start), 1), config.adjustment_rate, dtype=torch.float64)
        if index.metric_type is MetricType.COSINE:
            squared = self.start.double().square().sum(1, keepdim=True).cpu()
            bend = curvature(config) * self.weight + config.anchor_weight * squared
            rates = torch.minimum(rates, squared / bend)
        return rates.to(self.start)

    def pooled(self, vectors: Tensor, index: SearchIndexInfo, config: AdjusterConfig) -> Tensor:
        """Each term's pooled similarity. Shape ``(n_terms,)``."""
        queries = self.queries[self.pair_query]  # (n_pairs, D)
        return pool(
            similarity(queries, vectors[self.pair_part], index.metric_type),
            self.pair_term,
            len(self.clicked),
            index.metric_aggregation_type,
            config.softmin_temperature,
        )

    def loss(self, vectors: Tensor, index: SearchIndexInfo, config: AdjusterConfig) -> Tensor:
        pooled = self.pooled(vectors, index, config)
        loss = term_loss(pooled, self.clicked, self.unclicked, config).sum()
        if config.anchor_weight:
            loss = loss + config.anchor_weight / 2 * ((vectors - self.originals) ** 2).sum()
        return loss


def _optimizer(vectors: Tensor, config: AdjusterConfig) -> torch.optim.Optimizer:
    if config.optimizer == "sgd":
        return torch.optim.SGD([vectors], lr=1.0)  # the gradient carries each part's own rate
    return torch.optim.AdamW([vectors], lr=config.adjustment_rate, weight_decay=0.01)


def _ragged(lengths: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """For each element of ragged rows: its row, and its place within the row."""
    rows = np.repeat(np.arange(len(lengths)), lengths)
    starts = np.cumsum(lengths) - lengths
    return rows, np.arange(len(rows)) - starts[rows]
