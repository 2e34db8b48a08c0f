"""The champion that a live system follows, from the configuration."""

from pathlib import Path

from adjuster.live.learning.generations import ChampionSource
from experiments.common.secrets import REGISTRY
from experiments.config.serve import ServeConfig
from experiments.deployment.champion import RegistryChampion
from experiments.serving.system import LiveSystem


def champion_source(config: ServeConfig, system: LiveSystem) -> ChampionSource | None:
    """Where a newer champion is looked for; None where none is to be followed.

    Args:
        config: Names the model, and the registry.
        system: The index and the scope that a champion must be of.
    """
    live = config.serve
    if live.champion is None:
        return None
    default = f"sqlite:///{Path(config.output_dir).expanduser().resolve() / 'mlflow.db'}"
    uri = REGISTRY.read(live.registry, live.registry_env) or default
    return RegistryChampion(uri, live.champion, system.index.info, system.personalize_by)
