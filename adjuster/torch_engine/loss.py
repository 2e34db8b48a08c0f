"""The loss of a pooled similarity, and how sharply it bends."""

import math

import torch
from torch import Tensor

from adjuster.config import AdjusterConfig


def term_loss(pooled: Tensor, clicked: Tensor, unclicked: Tensor, config: AdjusterConfig) -> Tensor:
    """Loss of each term: falls as clicked objects come closer and unclicked ones go away.

    With S the pooled similarity, c and u the clicked and unclicked weights:

    - ``cubic`` (published): (u - c) · S³
    - ``linear``: (u - c) · S
    - ``logistic``: with z = logit_scale · (S - logit_bias),
      (c · log(1 + exp(-z)) + u · log(1 + exp(z))) / logit_scale

    Args:
        pooled: Shape ``(n_terms,)``.
        clicked: Shape ``(n_terms,)``, >= 0.
        unclicked: Shape ``(n_terms,)``, >= 0, with `non_clicked_weight` applied.
        config: Loss, scale and bias; the bias is a number.

    Returns:
        Shape ``(n_terms,)``.

    Example:
        >>> pooled, weight = torch.tensor([0.5]), torch.tensor([1.0])
        >>> term_loss(pooled, weight, 0 * weight, AdjusterConfig()).tolist()
        [-0.125]
    """
    if config.loss == "cubic":
        return (unclicked - clicked) * pooled**3
    if config.loss == "linear":
        return (unclicked - clicked) * pooled
    logits = config.logit_scale * (pooled - float(config.logit_bias))
    nothing = torch.zeros_like(logits)
    # logaddexp(0, z) is log(1 + exp(z)) without overflow; torch's softplus cuts off above 20
    miss, alarm = torch.logaddexp(nothing, -logits), torch.logaddexp(nothing, logits)
    return (clicked * miss + unclicked * alarm) / config.logit_scale


def curvature(config: AdjusterConfig) -> float:
    """How sharply a term of weight 1 bends, at most, as a unit vector turns.

    With S the cosine, a term l(S) has the second derivative l''(S) · (1 - S²) - l'(S) · S along
    the sphere; this is the largest value of |l''| · (1 - S²) + |l'| · |S|. Gradient steps no
    longer than its inverse never raise the loss (Nesterov, *Introductory Lectures on Convex
    Optimization*, 2004, section 1.2.3).

    Example:
        >>> curvature(AdjusterConfig(loss="logistic", logit_scale=8.0))
        2.125
    """
    if config.loss == "cubic":  # 6 |S| (1 - S²) + 3 |S|³, at S² = 2/3
        return 4.0 * math.sqrt(2.0 / 3.0)
    if config.loss == "linear":
        return 1.0
    bend = config.logit_scale / 4.0  # bend · (1 - S²) + |S|
    return bend + 0.25 / bend if bend > 0.5 else 1.0


def check_bias(config: AdjusterConfig) -> None:
    """Refuse a logistic loss whose bias is still ``auto``: only a log can tell the median.

    Raises:
        ValueError: Naming the remedy.
    """
    if config.loss == "logistic" and isinstance(config.logit_bias, str):
        raise ValueError(
            f"logit_bias must be a number for the logistic loss, got {config.logit_bias!r}. Give "
            "the similarity at which it is neutral, for example the median similarity of the "
            "objects shown."
        )
