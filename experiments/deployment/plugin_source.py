"""``best_plugin.py``: a module for a plugin host that builds the adjuster with exact settings."""

from collections.abc import Mapping
from dataclasses import asdict
from string import Template
from textwrap import wrap
from typing import Any

from adjuster.adjusters.by_config import CLASSES, adjuster_arguments
from adjuster.config import AdjusterConfig
from experiments.replay.settings import Settings

SOURCE = Template('''\
"""The adjuster that a study chose, for Embedding Studio's hook `get_vectors_adjuster`.

It needs the package `adjuster`, nothing else. In a plugin:

    def get_vectors_adjuster(self):
        return best_plugin.get_vectors_adjuster(self.get_search_index_info())
"""
$remarks
from adjuster import $adjuster

SETTINGS = $settings
IMPROVEMENT_SECONDS_INTERVAL = $interval
PERSONALIZE_BY = $personalize_by
SELECTION = $selection
PROVENANCE = $provenance


def get_vectors_adjuster(search_index_info):
    """The adjuster for an index, with the settings of the study."""
    return $adjuster(search_index_info, **SETTINGS)
''')

WIDTH = 99

REFIT_REMARK = (
    "memory is refit: hand over the original vectors with all sessions so far, not only the new "
    "ones; the adjuster keeps nothing between two calls."
)
RESTART_REMARK = (
    "memory is restart: hand over the original vectors, not the copies that were adjusted before."
)
BOUND_REMARK = (
    "max_drift and anchor_weight measure from an element's `original`: hand it over where the "
    "vector is a copy that was adjusted before."
)


def plugin_text(
    settings: Settings, personalize_by: str, provenance: Mapping[str, Any], warning: str
) -> str:
    """The module's source. All data stands in it as literals.

    Args:
        settings: Every setting, none of them ``auto``.
        personalize_by: Whose vectors a session reads.
        provenance: Plain data without NaN and infinity.
        warning: What stands on top, or "".
    """
    adjuster = settings.adjuster
    remarks = [text for text in (warning, *_remarks(adjuster)) if text]
    return SOURCE.substitute(
        remarks="".join(f"\n{_comment(text)}" for text in remarks) + "\n" * bool(remarks),
        adjuster=CLASSES[adjuster.semantics].__name__,
        settings=_literal(adjuster_arguments(adjuster)),
        interval=adjuster.interval_seconds,
        personalize_by=_literal(personalize_by),
        selection=_literal(asdict(settings.selection)),
        provenance=_literal(provenance),
    )


def _remarks(adjuster: AdjusterConfig) -> list[str]:
    if adjuster.semantics == "published":
        return []
    bounded = adjuster.max_drift is not None or adjuster.anchor_weight > 0
    memory = {"refit": [REFIT_REMARK], "restart": [RESTART_REMARK]}.get(adjuster.memory, [])
    return memory + [BOUND_REMARK] * bounded


def _comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in wrap(text, WIDTH - 2))


def _literal(data: Any, indent: str = "") -> str:
    """Plain data as a Python literal, a line an entry; texts are quoted by Python itself."""
    deeper = indent + "    "
    if isinstance(data, Mapping) and data:
        entries = [f"{key!r}: {_literal(value, deeper)}" for key, value in data.items()]
    elif isinstance(data, list) and data:
        entries = [_literal(value, deeper) for value in data]
    else:
        return repr(data)
    opened, closed = "[]" if isinstance(data, list) else "{}"
    lines = "".join(f"{deeper}{entry},\n" for entry in entries)
    return f"{opened}\n{lines}{indent}{closed}"
