"""Every setting of the adjuster: defaults, ranges, and the published presets and profiles."""

import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from adjuster.ranges import (
    Rule,
    between,
    check_settings,
    not_negative,
    number,
    one_of,
    or_null,
    or_word,
    positive,
    setting,
    whole,
)

CHOICES: dict[str, tuple[str, ...]] = {
    "semantics": ("documented", "published"),
    "loss": ("cubic", "linear", "logistic"),
    "optimizer": ("adamw", "sgd", "newton"),
    "term_weight": ("session", "impression"),
    "reduction": ("sum", "mean"),
    "memory": ("carry", "restart", "refit"),
    "engine": ("auto", "fused", "torch"),
}
"""Setting → the words that it may be, its default first."""

ENVIRONMENT: dict[str, str] = {
    "ADJUSTMENT_RATE": "adjustment_rate",
    "NUM_ITERATIONS": "num_iterations",
    "SOFTMIN_TEMPERATURE": "softmin_temperature",
    "IMPROVEMENT_SECONDS_INTERVAL": "interval_seconds",
}
"""Environment variable of a live deployment → field of `AdjusterConfig`."""


MOST_ITERATIONS = 10_000
"""Two hundred times the published most: more is a slip, and a call could not be stopped."""


def _choice(name: str, text: str) -> Any:
    """A setting of `CHOICES`; the first word is the default."""
    return setting(CHOICES[name][0], one_of(*CHOICES[name]), text)


@dataclass
class AdjusterConfig:
    """The adjuster's settings. The defaults are the published ones.

    Raises:
        ValueError: Naming every field that is out of range.

    Example:
        >>> AdjusterConfig(adjustment_rate=-1)
        Traceback (most recent call last):
        ValueError: adjuster.adjustment_rate must be > 0 and <= 10, got -1.
    """

    semantics: str = _choice(
        "semantics", "`documented` (correct) or `published` (what the published code computes)."
    )
    adjustment_rate: float = setting(0.1, positive(10), "Step size of the optimizer.")
    num_iterations: int = setting(
        10,
        whole(at_most=MOST_ITERATIONS),
        "Optimizer steps per call (newton: at most); 0 changes nothing.",
    )
    softmin_temperature: float = setting(
        1.0, positive(), "Softness of the nearest part, in units of similarity."
    )
    interval_seconds: int = setting(
        3600,
        whole("of seconds (0 is at once)"),
        "Seconds between two ticks of the improvement worker.",
    )
    non_clicked_weight: float = setting(
        1.0, not_negative(), "Weight of the unclicked term; 0 pushes nothing away."
    )
    max_drift: float | None = setting(
        None,
        or_null(between(0, 2, "(]"), "for no bound"),
        "No adjusted part ends with a cosine to its original below 1 - max_drift.",
    )
    loss: str = _choice("loss", "`cubic` (published), `linear` or `logistic`.")
    optimizer: str = _choice(
        "optimizer",
        "`adamw` (published), or `sgd`: gradient steps of the rate, under cosine never so long "
        "that they could overshoot, however much feedback there is; or `newton`: the most probable "
        "vector given all feedback and a prior of strength `anchor_weight` at the original, which "
        "needs no rate.",
    )
    term_weight: str = _choice(
        "term_weight", "`session` (1/|clicked|, 1/|unclicked|) or `impression` (1 each)."
    )
    reduction: str = _choice(
        "reduction", "`sum` of an object's terms, or `mean` (over its total weight)."
    )
    anchor_weight: float = setting(
        0.0,
        not_negative(),
        "Adds anchor_weight/2 · |x - original|² to the loss (newton under cosine: per "
        "|original|², as many impressions' worth).",
    )
    memory: str = _choice(
        "memory",
        "`carry` goes on from the adjusted vector; `restart` starts from the original with the "
        "tick's feedback alone; `refit` starts from the original with all feedback so far.",
    )
    logit_scale: float = setting(8.0, positive(), "Steepness of the logistic loss.")
    logit_bias: int | float | str = setting(
        "auto",
        or_word(number(), "auto"),
        "Similarity at which the logistic loss is neutral; `auto` is the median similarity of "
        "the objects shown in warmup.",
    )
    engine: str = _choice(
        "engine", "`fused` (CPU kernel), `torch` (autograd), or `auto`: the kernel on CPU."
    )

    def __post_init__(self) -> None:
        check_settings(self, "adjuster", self._newton_rules())

    def _newton_rules(self) -> list[Rule]:
        """What a most probable vector is only defined with."""
        if self.optimizer != "newton":
            return []
        why = "where adjuster.optimizer is newton"
        return [
            Rule("loss", self.loss, self.loss == "logistic", f"logistic {why}"),
            Rule("memory", self.memory, self.memory == "refit", f"refit {why}"),
            Rule("anchor_weight", self.anchor_weight, self.anchor_weight != 0, f"> 0 {why}"),
        ]

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> "AdjusterConfig":
        """Read the four settings of a live deployment; what is not set keeps its default.

        Args:
            environ: Where to read; `os.environ` by default.

        Raises:
            ValueError: Naming each variable that is not a number or is out of range.

        Example:
            >>> AdjusterConfig.from_env({"NUM_ITERATIONS": "25"}).num_iterations
            25
        """
        environ = os.environ if environ is None else environ
        faults, values = [], {}
        for variable, name in ENVIRONMENT.items():
            if variable not in environ:
                continue
            kind: type = int if name in ("num_iterations", "interval_seconds") else float
            try:
                values[name] = kind(environ[variable])
            except ValueError:
                noun = "a whole number" if kind is int else "a number"
                faults.append(f"{variable} must be {noun}, got {environ[variable]!r}.")
                continue
            try:
                cls(**{name: values[name]})
            except ValueError as error:
                faults.append(str(error).replace(f"adjuster.{name}", variable))
        if faults:
            raise ValueError("\n".join(faults))
        return cls(**values)

    def to_env(self) -> dict[str, str]:
        """The four environment variables of a live deployment, as strings."""
        return {variable: str(getattr(self, name)) for variable, name in ENVIRONMENT.items()}

    def with_values(self, values: Mapping[str, Any]) -> "AdjusterConfig":
        """A copy with these fields changed, checked again.

        Raises:
            ValueError: For a name that is not a field, or a value out of range.
        """
        unknown = sorted(set(values) - {item.name for item in fields(self)})
        if unknown:
            raise ValueError(f"adjuster has no field {', '.join(unknown)}.")
        return replace(self, **values)


@dataclass(frozen=True)
class PublishedRange:
    """One named range of the documentation: the field it speaks of and its two ends."""

    field: str
    low: float
    high: float
    geometric: bool = False

    @property
    def value(self) -> float:
        """The middle of the range: geometric for rate and interval, arithmetic otherwise."""
        middle = math.sqrt(self.low * self.high) if self.geometric else (self.low + self.high) / 2
        if self.field in ("num_iterations", "interval_seconds"):
            return round(middle)
        return float(f"{middle:.6g}")


PRESETS: dict[str, PublishedRange] = {
    "rate_conservative": PublishedRange("adjustment_rate", 0.01, 0.05, geometric=True),
    "rate_balanced": PublishedRange("adjustment_rate", 0.05, 0.2, geometric=True),
    "rate_aggressive": PublishedRange("adjustment_rate", 0.2, 0.5, geometric=True),
    "iterations_quick": PublishedRange("num_iterations", 5, 10),
    "iterations_standard": PublishedRange("num_iterations", 10, 25),
    "iterations_deep": PublishedRange("num_iterations", 25, 50),
    "temperature_sharp": PublishedRange("softmin_temperature", 0.1, 0.5),
    "temperature_balanced": PublishedRange("softmin_temperature", 0.5, 2.0),
    "temperature_smooth": PublishedRange("softmin_temperature", 2.0, 5.0),
    "interval_realtime": PublishedRange("interval_seconds", 300, 900, geometric=True),
    "interval_balanced": PublishedRange("interval_seconds", 1800, 3600, geometric=True),
    "interval_batch": PublishedRange("interval_seconds", 7200, 86400, geometric=True),
}
"""The published ranges by name; a preset's value is the middle of its range."""

PROFILES: dict[str, dict[str, float]] = {
    "default": {"adjustment_rate": 0.1, "num_iterations": 10, "softmin_temperature": 1.0},
    "product_search": {"adjustment_rate": 0.15, "num_iterations": 15, "softmin_temperature": 0.8},
    "document_search": {"adjustment_rate": 0.05, "num_iterations": 25, "softmin_temperature": 2.0},
}
"""The published profiles by name; ``default`` is also `AdjusterConfig`'s own default."""

RECOMMENDED: dict[str, float | int | str] = {
    "adjustment_rate": 0.006,
    "num_iterations": 50,
    "softmin_temperature": 0.05,
    "loss": "logistic",
    "optimizer": "sgd",
    "term_weight": "impression",
    "memory": "refit",
}
"""A better start than the published profiles, where every setting may be searched.

Refitting a logistic loss over every impression by a few gradient steps makes an object's
similarity a smoothed log-odds of its clicks: the fewer impressions it has, the less it moves. What
it was chosen on stands in ``conf/adjuster/recommended.yaml``.
"""
