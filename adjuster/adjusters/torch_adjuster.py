"""`TorchBasedAdjuster`: the documented semantics behind the plugin hook."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from adjuster.adjusters.base import BatchAdjuster, constructor_settings
from adjuster.adjusters.in_place import adjust_in_place
from adjuster.adjusters.kept_memory import KeptMemory
from adjuster.config import AdjusterConfig
from adjuster.feedback import FeedbackBatch
from adjuster.host_batch import HostFeedback
from adjuster.losses import check_bias
from adjuster.torch_engine.autograd import adjust_with_autograd


class TorchBasedAdjuster(BatchAdjuster):
    """Moves item vectors toward the queries they were clicked for, away from the others.

    A drop-in for Embedding Studio's plugin hook ``get_vectors_adjuster()``. The settings and
    their ranges are those of `AdjusterConfig`; the first three stand in the published order.

    A call keeps nothing for the next one but memory: for up to two answers, used again once nobody
    holds a vector that lies there. It starts from the vectors handed in, and `max_drift` and
    `anchor_weight` measure from an element's ``original`` where it has one, else from its vector.
    What `memory` asks for is done by whoever calls: `ImprovementWorker` does so with its store; a
    host that only calls `adjust_vectors` hands over the original vectors under ``restart`` and
    ``refit``, and under ``refit`` with all sessions so far.

    Args:
        search_index_info: The index that the vectors live in, ours or a host's own class.
        adjustment_rate: Step size of the optimizer, > 0 and <= 10.
        num_iterations: Optimizer steps a call, >= 0; 0 changes nothing.
        softmin_temperature: Softness of the nearest part, > 0, in units of similarity.
        non_clicked_weight: Weight of the unclicked term, >= 0.
        max_drift: No adjusted part ends with a cosine below 1 - max_drift to its original.
        engine: ``fused`` (the CPU kernel), ``torch`` (autograd), or ``auto``: the kernel where
            the vectors are on the CPU, torch on their own device elsewhere.
        loss: ``cubic``, ``linear`` or ``logistic``.
        optimizer: ``adamw``, ``sgd`` with steps that cannot overshoot under cosine, or ``newton``:
            the most probable vector, with ``loss="logistic"``, ``memory="refit"`` and a prior.
        term_weight: ``session`` or ``impression``.
        reduction: ``sum`` or ``mean``.
        anchor_weight: Pull toward the original, >= 0; under newton the strength of the prior, > 0.
        memory: ``carry``, ``restart`` or ``refit``, as above.
        logit_scale: Steepness of the logistic loss, > 0.
        logit_bias: Similarity at which the logistic loss is neutral; a number if it is used.

    Raises:
        ValueError: Naming every setting that is out of range.

    Example:
        >>> from adjuster import ImprovementElement, ImprovementInput, SearchIndexInfo
        >>> session = ImprovementInput(
        ...     session_id="s1",
        ...     query=ImprovementElement("q", torch.tensor([[0.0, 1.0]])),
        ...     clicked_elements=[ImprovementElement("a", torch.tensor([[1.0, 0.0]]))],
        ...     non_clicked_elements=[],
        ... )
        >>> adjuster = TorchBasedAdjuster(SearchIndexInfo(2, "dot", "min"), 0.5, 1, loss="linear")
        >>> adjuster.adjust_vectors([session])[0].clicked_elements[0].vector
        tensor([[0.9950, 0.5000]])
    """

    # Many parameters: a plugin host builds it by keyword, each a field of `AdjusterConfig`.
    def __init__(
        self,
        search_index_info: Any,
        adjustment_rate: float = AdjusterConfig.adjustment_rate,
        num_iterations: int = AdjusterConfig.num_iterations,
        softmin_temperature: float = AdjusterConfig.softmin_temperature,
        *,
        non_clicked_weight: float = AdjusterConfig.non_clicked_weight,
        max_drift: float | None = AdjusterConfig.max_drift,
        engine: str = AdjusterConfig.engine,
        loss: str = AdjusterConfig.loss,
        optimizer: str = AdjusterConfig.optimizer,
        term_weight: str = AdjusterConfig.term_weight,
        reduction: str = AdjusterConfig.reduction,
        anchor_weight: float = AdjusterConfig.anchor_weight,
        memory: str = AdjusterConfig.memory,
        logit_scale: float = AdjusterConfig.logit_scale,
        logit_bias: float | str = AdjusterConfig.logit_bias,
    ) -> None:
        self.config = AdjusterConfig(
            adjustment_rate=adjustment_rate,
            num_iterations=num_iterations,
            softmin_temperature=softmin_temperature,
            non_clicked_weight=non_clicked_weight,
            max_drift=max_drift,
            engine=engine,
            loss=loss,
            optimizer=optimizer,
            term_weight=term_weight,
            reduction=reduction,
            anchor_weight=anchor_weight,
            memory=memory,
            logit_scale=logit_scale,
            logit_bias=logit_bias,
        )
        check_bias(self.config)
        self._memory = KeptMemory()
        super().__init__(search_index_info, term_weight=term_weight)

    @classmethod
    def from_config(cls, search_index_info: Any, config: AdjusterConfig) -> "TorchBasedAdjuster":
        """Build the adjuster of a configuration with documented semantics.

        Raises:
            ValueError: For published semantics (`PublishedAdjuster` has them), or a logistic
                loss whose bias is still ``auto``.
        """
        if config.semantics != "documented":
            raise ValueError(
                f"semantics must be documented, got {config.semantics}. "
                "Use PublishedAdjuster for the published semantics."
            )
        return cls(search_index_info, **constructor_settings(cls, config))

    def adjust_batch(self, batch: FeedbackBatch) -> NDArray[np.floating]:
        """New vectors of a batch's parts, on the CPU; shape and dtype of ``batch.vectors``."""
        return self._adjust(batch, torch.device("cpu"))

    def _answer(self, feedback: HostFeedback, device: torch.device) -> list[Any]:
        if self.engine_on(device) == "fused":
            answer = adjust_in_place(feedback, self.config, self._memory)
            if answer is not None:
                return answer
        return super()._answer(feedback, device)

    def _adjust(self, batch: FeedbackBatch, device: torch.device) -> NDArray[np.floating]:
        if self.engine_on(device) == "torch":
            return adjust_with_autograd(batch, self.search_index_info, self.config, device=device)
        from adjuster.fused_engine.batch import adjust_batch  # Numba takes a while to import

        return adjust_batch(batch, self.search_index_info, self.config)

    def engine_on(self, device: torch.device) -> str:
        """The engine that takes vectors on this device: ``fused`` or ``torch``."""
        if self.config.engine != "auto":
            return self.config.engine
        return "fused" if device.type == "cpu" else "torch"
