"""How a study searches: what its proposals and its pruning depend on."""

from dataclasses import dataclass

from experiments.config.study import GuardrailsConfig, PrunerConfig, SamplerConfig


@dataclass(frozen=True)
class SearchRules:
    """The rules of a search, the same for every trial of a study.

    Args:
        sampler: Who proposes settings.
        pruner: Who stops hopeless trials.
        guardrails: The bounds that a feasible trial keeps.
        n_blocks: Blocks of a whole trial.
    """

    sampler: SamplerConfig
    pruner: PrunerConfig
    guardrails: GuardrailsConfig
    n_blocks: int
