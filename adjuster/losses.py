"""What both engines know of the losses: how sharply they bend, and when a bias is missing."""

import math

from adjuster.config import AdjusterConfig


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
