"""What the search index holds: dimensions, metric, and how an object's parts are pooled."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeVar

E = TypeVar("E", bound=Enum)


class MetricType(str, Enum):
    """Similarity between two vectors; each grows as vectors get closer.

    ``COSINE`` is the cosine, ``DOT`` the dot product, ``EUCLID`` minus the Euclidean distance.
    """

    COSINE = "cosine"
    DOT = "dot"
    EUCLID = "euclid"


class MetricAggregationType(str, Enum):
    """How the similarities of an object's parts become one number.

    ``MIN`` is the smallest *distance* (the nearest part); ``AVG`` the mean over the parts.
    """

    MIN = "min"
    AVG = "avg"


@dataclass(frozen=True)
class SearchIndexInfo:
    """The index that the vectors live in.

    Args:
        dimensions: Length of every vector, >= 1.
        metric_type: A `MetricType` or its string.
        metric_aggregation_type: A `MetricAggregationType` or its string.

    Raises:
        ValueError: If a value is out of range or unknown.

    Example:
        >>> SearchIndexInfo(384, "cosine", "min").metric_type is MetricType.COSINE
        True
    """

    dimensions: int
    metric_type: MetricType = MetricType.COSINE
    metric_aggregation_type: MetricAggregationType = MetricAggregationType.MIN

    def __post_init__(self) -> None:
        if self.dimensions < 1:
            raise ValueError(f"dimensions must be >= 1, got {self.dimensions}.")
        object.__setattr__(self, "metric_type", _member(MetricType, self.metric_type))
        object.__setattr__(
            self,
            "metric_aggregation_type",
            _member(MetricAggregationType, self.metric_aggregation_type),
        )

    @classmethod
    def of(cls, info: Any) -> "SearchIndexInfo":
        """Take an index description as it is, or read a host's own class with the same fields.

        Example:
            >>> from types import SimpleNamespace
            >>> theirs = SimpleNamespace(
            ...     dimensions=3, metric_type="dot", metric_aggregation_type="avg"
            ... )
            >>> SearchIndexInfo.of(theirs).metric_type is MetricType.DOT
            True
        """
        if isinstance(info, cls):
            return info
        return cls(info.dimensions, info.metric_type, info.metric_aggregation_type)


def _member(enum: type[E], value: object) -> E:
    try:
        return enum(getattr(value, "value", value))
    except ValueError:
        names = ", ".join(str(member.value) for member in enum)
        raise ValueError(f"{enum.__name__} must be one of {names}, got {value!r}.") from None
