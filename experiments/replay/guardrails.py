"""Guardrails: which metric each bounds, in which words, and when it is broken."""

from collections.abc import Mapping
from dataclasses import dataclass

from experiments.config.study import GuardrailsConfig


@dataclass(frozen=True)
class Guardrail:
    """One guardrail.

    Args:
        name: Its field in `GuardrailsConfig`.
        metric: The metric that it bounds from above.
        words: What the metric is called in a sentence.
    """

    name: str
    metric: str
    words: str

    def bound(self, config: GuardrailsConfig) -> float | None:
        """Its bound; None where it is lifted."""
        bound: float | None = getattr(config, self.name)
        return bound

    def is_broken(self, value: float, config: GuardrailsConfig) -> bool:
        """Whether a metric's value is above the bound; NaN is.

        Example:
            >>> DRIFT.is_broken(0.2, GuardrailsConfig(max_mean_drift=0.2))
            False
        """
        bound = self.bound(config)
        return bound is not None and not value <= bound


DRIFT = Guardrail("max_mean_drift", "drift_at_log_end", "mean drift by the end of the log")
HARM = Guardrail("max_harmed_share", "harmed_share", "the share of harmed sessions")

GUARDRAILS = (DRIFT, HARM)

GUARDED = {guardrail.name: guardrail.metric for guardrail in GUARDRAILS}
"""Guardrail → the metric it bounds."""


def constraints(metrics: Mapping[str, float], config: GuardrailsConfig) -> dict[str, float]:
    """Guardrail → how far its metric is above the bound; lifted guardrails are left out.

    Example:
        >>> constraints({"drift_at_log_end": 0.5, "harmed_share": 0.1}, GuardrailsConfig())
        {'max_mean_drift': 0.3}
    """
    return {
        guardrail.name: metrics[guardrail.metric] - bound
        for guardrail in GUARDRAILS
        if (bound := guardrail.bound(config)) is not None
    }


def broken(metrics: Mapping[str, float], config: GuardrailsConfig) -> list[Guardrail]:
    """The guardrails that a replay's metrics break.

    Example:
        >>> [item.name for item in broken({"drift_at_log_end": 0.5, "harmed_share": 1.0},
        ...                               GuardrailsConfig())]
        ['max_mean_drift']
    """
    return [item for item in GUARDRAILS if item.is_broken(metrics[item.metric], config)]
