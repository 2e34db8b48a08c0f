"""What is deployed: a trial's exact settings, as files for hosts that know nothing of the study."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from adjuster.config import ENVIRONMENT, AdjusterConfig
from adjuster.index import SearchIndexInfo
from experiments.common.files import finite, write_atomic
from experiments.config.replay import ReplayConfig
from experiments.data.format.click_log import ClickLog
from experiments.deployment.plugin_source import plugin_text
from experiments.judging.verdict import ADOPT, CANNOT_TELL, KEEP_OFF, Verdict
from experiments.replay.settings import Settings
from experiments.replay.timeline import resolve_scope
from experiments.study_folder.best_yaml import Provenance

FILES = {"env": "best.env", "plugin": "best_plugin.py", "json": "best.json"}
"""Format → its file; ``yaml`` is `experiments.study_folder.best_yaml`'s."""

ENV_USE = (
    "Use it so: set -a; . best.env; set +a; then AdjusterConfig.from_env() of the package adjuster."
)
ENV_SEMANTICS = (
    "Tuned for the {semantics} semantics. Stock Embedding Studio computes the published one and "
    "reads none of the three knobs, only the interval: best_plugin.py passes them."
)

FORCED = (
    "The sealed test says {decision}: this was exported all the same, with force=true. "
    "{hope} to help."
)
HOPES = {
    KEEP_OFF: "Turning it on is not expected",
    CANNOT_TELL: "Nothing shows turning it on",
}


@dataclass(frozen=True)
class Deployment:
    """A configuration that no longer needs the study or its data.

    Args:
        settings: Every setting, none of them ``auto``.
        index: The index that it was tuned on.
        personalize_by: Whose vectors a session reads: ``user_id``, ``segment`` or ``none``.
        provenance: Where it comes from: study, trial, data, versions, metrics, verdict.
    """

    settings: Settings
    index: SearchIndexInfo
    personalize_by: str
    provenance: Provenance

    @property
    def what(self) -> str:
        """What the files hold, on one line."""
        found = self.provenance
        trial = f"Trial {found.trial} of study {json.dumps(found.study)}"
        decision = found.sealed.verdict.decision if found.sealed else "nothing yet"
        said = "adopts it" if decision == ADOPT else f"says {decision}"
        return f"{trial}; the sealed test {said}; where it comes from: {FILES['json']}."

    @property
    def warning(self) -> str:
        """What a reader of any of the files must see first; "" where the verdict is ``adopt``."""
        sealed = self.provenance.sealed
        if sealed is None or sealed.verdict.adopts:
            return ""
        decision = sealed.verdict.decision
        return FORCED.format(decision=decision.upper(), hope=HOPES[decision])

    @property
    def facts(self) -> dict[str, Any]:
        """The provenance as data that JSON can hold."""
        facts: dict[str, Any] = finite(self.provenance.to_dict())
        return facts

    def to_dict(self) -> dict[str, Any]:
        """All of it as data that JSON can hold."""
        return {
            **({"warning": self.warning} if self.warning else {}),
            **self.settings.to_dict(),
            "environment": self.settings.adjuster.to_env(),
            "index": {
                "dimensions": self.index.dimensions,
                "metric_type": self.index.metric_type.value,
                "metric_aggregation_type": self.index.metric_aggregation_type.value,
            },
            "personalize_by": self.personalize_by,
            "provenance": self.facts,
        }


def may_deploy(verdict: Verdict, *, force: bool) -> bool:
    """Whether there is something to deploy: the verdict says so, or the user insists.

    Example:
        >>> may_deploy(Verdict(KEEP_OFF, "Keep off."), force=False)
        False
    """
    return force or verdict.adopts


def make_deployment(
    log: ClickLog, replay: ReplayConfig, settings: Settings, provenance: Provenance
) -> Deployment:
    """Take a trial out of its study.

    Args:
        log: The data set.
        replay: How the study replayed it.
        settings: The trial's, with the number that a ``logit_bias`` of ``auto`` stands for.
        provenance: Where it comes from.
    """
    return Deployment(
        settings=settings,
        index=log.index,
        personalize_by=resolve_scope(log, replay.personalize_by),
        provenance=provenance,
    )


def write_deployment(folder: Path, deployment: Deployment, formats: tuple[str, ...]) -> list[Path]:
    """Write the files of these formats, each whole or unchanged.

    Args:
        folder: Where.
        deployment: What.
        formats: Any of ``env``, ``plugin`` and ``json``.

    Returns:
        The files written.
    """
    makers = {"env": env_text, "plugin": _plugin_text, "json": json_text}
    for name in formats:
        write_atomic(folder / FILES[name], makers[name](deployment))
    return [folder / FILES[name] for name in formats]


def json_text(deployment: Deployment) -> str:
    """``best.json``: everything, for programs."""
    return json.dumps(deployment.to_dict(), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def env_text(deployment: Deployment) -> str:
    """``best.env``: what it is, how to use it, for which semantics; then the variables.

    Names and other texts stand quoted as JSON, so that none ends its comment.
    """
    adjuster = deployment.settings.adjuster
    remarks = [deployment.what, ENV_USE, ENV_SEMANTICS.format(semantics=adjuster.semantics)]
    missing = settings_beyond_env(adjuster)
    if missing:
        told = ", ".join(f"{name}: {json.dumps(value)}" for name, value in missing.items())
        remarks.append(f"These settings have no variable; best_plugin.py holds them: {told}")
    remarks += [deployment.warning] if deployment.warning else []
    return "".join(
        [
            *(f"# {line}\n" for line in remarks),
            *(f"{name}={value}\n" for name, value in adjuster.to_env().items()),
        ]
    )


def settings_beyond_env(adjuster: AdjusterConfig) -> dict[str, Any]:
    """Settings that are not the defaults and that no environment variable carries."""
    known = set(ENVIRONMENT.values())
    return {
        item.name: getattr(adjuster, item.name)
        for item in fields(adjuster)
        if item.name not in known and getattr(adjuster, item.name) != item.default
    }


def _plugin_text(deployment: Deployment) -> str:
    return plugin_text(
        deployment.settings, deployment.personalize_by, deployment.what, deployment.warning
    )
