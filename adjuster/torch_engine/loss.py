"""The loss of a pooled similarity."""

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
