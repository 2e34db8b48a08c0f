"""The champion of MLflow's model registry, as a live system follows it."""

import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adjuster.config import AdjusterConfig
from adjuster.index import SearchIndexInfo
from adjuster.live.learning.generations import Champion
from adjuster.selection import SelectionConfig
from experiments.common.secrets import without_user_info
from experiments.deployment.registry import ALIAS
from experiments.tracking.trouble import reason_of


@dataclass
class RegistryChampion:
    """Reads which version of a model is the champion, and what it learns with.

    What cannot be followed, or not now, is told on stderr, once.

    Args:
        uri: The registry.
        model: The model's name.
        index: The index that the champion must have been tuned on, by metric and dimensions.
        personalize_by: The scope that it must have.
    """

    uri: str
    model: str
    index: SearchIndexInfo
    personalize_by: str
    _known: Champion | None = field(default=None, init=False)
    _told: str = field(default="", init=False)

    def champion(self) -> Champion | None:
        """See `ChampionSource.champion`."""
        try:
            return self._read()
        except Exception as error:
            # MLflow raises whatever its store and its server raise.
            self._tell(f"{type(error).__name__}: {reason_of(error)}")
            return None

    def _read(self) -> Champion | None:
        from mlflow.tracking import MlflowClient

        client = MlflowClient(tracking_uri=self.uri, registry_uri=self.uri)
        version = client.get_model_version_by_alias(self.model, ALIAS)
        name = f"{self.model}/{version.version}"
        if self._known is None or self._known.name != name:
            chosen = self._download(version.source)
            self._check(chosen)
            self._known = Champion(
                name, AdjusterConfig(**chosen["adjuster"]), SelectionConfig(**chosen["selection"])
            )
        return self._known

    def _download(self, source: str | None) -> dict[str, Any]:
        from mlflow.artifacts import download_artifacts

        if source is None:
            raise ValueError("its version has no files")

        with tempfile.TemporaryDirectory() as work:
            place = f"{source.rstrip('/')}/artifacts/best.json"
            path = download_artifacts(artifact_uri=place, dst_path=work, tracking_uri=self.uri)
            chosen: dict[str, Any] = json.loads(Path(path).read_text(encoding="utf-8"))
        return chosen

    def _check(self, chosen: dict[str, Any]) -> None:
        index, scope = SearchIndexInfo(**chosen["index"]), chosen["personalize_by"]
        if index != self.index:
            raise ValueError(f"it was tuned on {index}, and this system searches {self.index}")
        if scope != self.personalize_by:
            raise ValueError(
                f"it personalizes by {scope}, and this system by {self.personalize_by}"
            )

    def _tell(self, why: str) -> None:
        if why != self._told:
            self._told = why
            model = f"{self.model} at {without_user_info(self.uri)}"
            print(f"The champion of {model} is not followed: {why}.", file=sys.stderr)
