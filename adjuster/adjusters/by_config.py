"""From a configuration to the adjuster that it describes."""

from typing import Any

from adjuster.adjusters.base import VectorsAdjuster, constructor_settings
from adjuster.adjusters.published import PublishedAdjuster
from adjuster.adjusters.torch_adjuster import TorchBasedAdjuster
from adjuster.config import AdjusterConfig

CLASSES: dict[str, type[VectorsAdjuster]] = {
    "documented": TorchBasedAdjuster,
    "published": PublishedAdjuster,
}
"""Semantics → the class that has them; its arguments are fields of `AdjusterConfig`."""


def adjuster_for(search_index_info: Any, config: AdjusterConfig) -> VectorsAdjuster:
    """Build the adjuster that a configuration describes.

    Args:
        search_index_info: The index that the vectors live in, ours or a host's own class.
        config: The settings.

    Raises:
        ValueError: If the loss is logistic and its bias is still ``auto``.

    Example:
        >>> from adjuster import SearchIndexInfo
        >>> type(adjuster_for(SearchIndexInfo(3), AdjusterConfig(semantics="published"))).__name__
        'PublishedAdjuster'
    """
    make: Any = CLASSES[config.semantics]
    adjuster: VectorsAdjuster = make(search_index_info, **adjuster_arguments(config))
    return adjuster


def adjuster_arguments(config: AdjusterConfig) -> dict[str, Any]:
    """Every argument but the index, by name, of the class with the configuration's semantics."""
    return constructor_settings(CLASSES[config.semantics], config)
