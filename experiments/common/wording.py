"""How figures and metric names are written for people."""


def label(metric: str) -> str:
    """A metric's name as people write it, with its cutoff.

    Example:
        >>> label("ndcg_at_10"), label("mrr")
        ('NDCG@10', 'MRR')
    """
    return (
        metric.replace("_at_", "@")
        .replace("recall", "Recall")
        .replace("ndcg", "NDCG")
        .replace("mrr", "MRR")
        .replace("map", "MAP")
    )


def plain(value: float) -> str:
    """Three decimals without a leading zero: ``.701``."""
    return f"{value:.3f}".replace("0.", ".", 1) if abs(value) < 1 else f"{value:.3f}"


def signed(value: float) -> str:
    """Three decimals with sign, without a leading zero: ``+.021``."""
    return ("-" if round(value, 3) < 0 else "+") + plain(abs(value))
