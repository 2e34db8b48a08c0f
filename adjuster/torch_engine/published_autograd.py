"""The published semantics by torch autograd, on a group of equally shaped sessions."""

import torch
from torch import Tensor
from torch.nn.functional import normalize

from adjuster.config import AdjusterConfig
from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from adjuster.torch_engine.similarity import similarity


def adjust_group_with_autograd(
    queries: Tensor, shown: Tensor, n_clicked: int, index: SearchIndexInfo, config: AdjusterConfig
) -> Tensor:
    """Adjust a group of sessions of one shape, as `PublishedAdjuster` says.

    Args:
        queries: Shape ``(B, N, D)``.
        shown: Shape ``(B, K, M, D)``: the objects of each session, clicked first, padded to one
            number of parts.
        n_clicked: How many of the K are clicked, in 1..K-1.
        index: Metric and pooling.
        config: Rate, iterations and temperature.

    Returns:
        Shape ``(B, K, M, D)``; device and dtype of `shown`.
    """
    clicked = shown[:, :n_clicked].clone().requires_grad_(True)  # (B, n_clicked, M, D)
    unclicked = shown[:, n_clicked:].clone().requires_grad_(True)
    optimizer = torch.optim.AdamW(
        [clicked, unclicked], lr=config.adjustment_rate, weight_decay=0.01
    )
    for _ in range(config.num_iterations):
        optimizer.zero_grad()
        gain = _mean_of_cubes(queries, clicked, index, config)
        loss = -gain + _mean_of_cubes(queries, unclicked, index, config)
        torch.autograd.backward(loss)
        optimizer.step()
    return torch.cat([clicked, unclicked], dim=1).detach()


def _mean_of_cubes(
    queries: Tensor, objects: Tensor, index: SearchIndexInfo, config: AdjusterConfig
) -> Tensor:
    """Mean of the cubed pooled similarities of (B, N, D) queries, (B, K, M, D) objects."""
    pairs = _similarities(queries, objects, index.metric_type)  # (B, N, K, M)
    if index.metric_aggregation_type is MetricAggregationType.AVG:
        pooled = pairs.mean(dim=2)
    else:
        weights = torch.softmax(-pairs / config.softmin_temperature, dim=2)
        pooled = (weights * pairs).sum(dim=2)
    return (pooled**3).mean()


def _similarities(queries: Tensor, objects: Tensor, metric: MetricType) -> Tensor:
    """All (B, N, K, M); a zero row, which is padding, has cosine 0."""
    if metric is MetricType.EUCLID:
        return similarity(queries[:, :, None, None], objects[:, None], metric)
    if metric is MetricType.COSINE:
        queries, objects = normalize(queries, dim=-1), normalize(objects, dim=-1)
    return torch.einsum("bnd,bkmd->bnkm", queries, objects)
