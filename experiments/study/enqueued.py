"""The configurations that a study tries before its sampler has a say."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from adjuster.config import PRESETS, PROFILES, RECOMMENDED, AdjusterConfig
from experiments.replay.settings import Settings

PUBLISHED_DEFAULTS = "published_defaults"
CONFIGURED = "configured"


@dataclass(frozen=True)
class Enqueued:
    """A named configuration."""

    name: str
    settings: Settings


def enqueued_settings(kind: str, base: Settings, searched: Collection[str] = ()) -> list[Enqueued]:
    """The configurations to enqueue, each once.

    The published defaults come first, then the configuration that the command was given if it
    differs, then the published profiles, then `RECOMMENDED` where all of its settings are
    searched; ``presets`` adds every preset, one change of the published defaults each.

    Args:
        kind: ``none``, ``profiles`` or ``presets``.
        base: The configuration that the command was given. Its semantics, interval, engine and
            selection hold for the published ones too.
        searched: The settings that the study searches.

    Example:
        >>> from adjuster.selection import SelectionConfig
        >>> base = Settings(AdjusterConfig(), SelectionConfig())
        >>> [item.name for item in enqueued_settings("profiles", base)]
        ['published_defaults', 'product_search', 'document_search']
    """
    if kind == "none":
        return []
    kept = ("semantics", "interval_seconds", "engine")
    adjuster = AdjusterConfig(**{name: getattr(base.adjuster, name) for name in kept})
    published = replace(base, adjuster=adjuster)
    changes: dict[str, dict[str, Any]] = {name: dict(values) for name, values in PROFILES.items()}
    if set(RECOMMENDED) <= set(searched):
        changes["recommended"] = {"semantics": "documented", **RECOMMENDED}
    if kind == "presets":
        changes |= {name: {preset.field: preset.value} for name, preset in PRESETS.items()}
    found = [Enqueued(PUBLISHED_DEFAULTS, published), Enqueued(CONFIGURED, base)]
    found += [Enqueued(name, published.with_values(values)) for name, values in changes.items()]
    unique: dict[tuple[Any, ...], Enqueued] = {}
    for item in found:
        unique.setdefault(item.settings.key, item)
    return list(unique.values())


def in_line(starts: Sequence[Enqueued], enqueued: Sequence[Enqueued]) -> list[Enqueued]:
    """What earlier studies found, then what is enqueued, each once.

    What is both keeps the name and the place that it has as enqueued: tables look for the
    published defaults by name.

    Args:
        starts: The best settings of earlier studies.
        enqueued: As `enqueued_settings` gives it.
    """
    named = {item.settings.key for item in enqueued}
    first: dict[tuple[Any, ...], Enqueued] = {}
    for item in starts:
        if item.settings.key not in named:
            first.setdefault(item.settings.key, item)
    return [*first.values(), *enqueued]
