"""Adjust search vectors by click feedback. Needs torch, NumPy and Numba only.

What imports torch is loaded when it is first asked for, so that a command that only reads
settings starts at once.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from adjuster.config import PRESETS, PROFILES, AdjusterConfig
from adjuster.feedback import FeedbackBatch, ImprovementElement, ImprovementInput
from adjuster.host_batch import build_batch
from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from adjuster.selection import SelectionConfig

if TYPE_CHECKING:
    from adjuster.adjusters.base import BatchAdjuster, VectorsAdjuster
    from adjuster.adjusters.baselines import NoAdjustment, Rocchio
    from adjuster.adjusters.normalization import prepare_vectors
    from adjuster.adjusters.published import PublishedAdjuster
    from adjuster.adjusters.torch_adjuster import TorchBasedAdjuster
    from adjuster.torch_engine.autograd import adjust_with_autograd

_HOMES: dict[str, str] = {
    "BatchAdjuster": "adjuster.adjusters.base",
    "NoAdjustment": "adjuster.adjusters.baselines",
    "PublishedAdjuster": "adjuster.adjusters.published",
    "Rocchio": "adjuster.adjusters.baselines",
    "TorchBasedAdjuster": "adjuster.adjusters.torch_adjuster",
    "VectorsAdjuster": "adjuster.adjusters.base",
    "adjust_with_autograd": "adjuster.torch_engine.autograd",
    "prepare_vectors": "adjuster.adjusters.normalization",
}

__all__ = [
    "PRESETS",
    "PROFILES",
    "AdjusterConfig",
    "BatchAdjuster",
    "FeedbackBatch",
    "ImprovementElement",
    "ImprovementInput",
    "MetricAggregationType",
    "MetricType",
    "NoAdjustment",
    "PublishedAdjuster",
    "Rocchio",
    "SearchIndexInfo",
    "SelectionConfig",
    "TorchBasedAdjuster",
    "VectorsAdjuster",
    "adjust_with_autograd",
    "build_batch",
    "prepare_vectors",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'adjuster' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
