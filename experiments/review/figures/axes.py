"""What the axes are called: words, and the unit or the scale behind them."""

from experiments.common.wording import label

OF_METRIC = "0 to 1, mean over users"
OF_GAIN = "difference of means over users"

UNITS = {
    "adjustment_rate": "step size of the optimizer",
    "num_iterations": "optimizer steps each time",
    "softmin_temperature": "units of similarity",
    "interval_seconds": "seconds",
    "min_duration_seconds": "seconds",
    "non_clicked_weight": "times the clicked term",
    "anchor_weight": "weight of the pull to the original",
    "max_drift": "1 - cosine",
    "logit_scale": "steepness of the loss",
    "logit_bias": "units of similarity",
    "min_clicks": "clicked objects",
    "max_clicks": "clicked objects",
    "min_clicked_position": "position, 0 is the top",
}
"""Setting → what its numbers count; those that are words have none."""


def metric_title(metric: str) -> str:
    """Of an axis that shows a metric.

    Example:
        >>> metric_title("ndcg_at_10")
        'NDCG@10 (0 to 1, mean over users)'
    """
    return f"{label(metric)} ({OF_METRIC})"


def gain_title(metric: str) -> str:
    """Of an axis that shows a gain.

    Example:
        >>> gain_title("mrr")
        'gain in MRR (difference of means over users)'
    """
    return f"gain in {label(metric)} ({OF_GAIN})"


def setting_title(name: str) -> str:
    """Of an axis that shows a setting.

    Example:
        >>> setting_title("interval_seconds"), setting_title("memory")
        ('interval (seconds)', 'memory')
    """
    words = name.removesuffix("_seconds").replace("_", " ")
    return f"{words} ({UNITS[name]})" if name in UNITS else words
