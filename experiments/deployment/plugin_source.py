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
$head
# Needs the package adjuster alone; a plugin's own get_vectors_adjuster returns what this one does.
# $semantics
$remarks
from adjuster import $adjuster

SETTINGS = $settings
IMPROVEMENT_SECONDS_INTERVAL = $interval
PERSONALIZE_BY = $personalize_by
SELECTION = $selection


def get_vectors_adjuster(search_index_info):
    """The adjuster for an index, with the settings of the study."""
    return $adjuster(search_index_info, **SETTINGS)
''')

SEMANTICS = {
    "documented": (
        "Tuned for the documented semantics. Stock Embedding Studio computes the published one: "
        "use this."
    ),
    "published": "Tuned for the published semantics, which stock Embedding Studio computes.",
}
"""For which semantics the settings hold."""

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


def plugin_text(settings: Settings, personalize_by: str, what: str, warning: str) -> str:
    """The module's source: what it is, how to use it, for which semantics; data as literals.

    Args:
        settings: Every setting, none of them ``auto``.
        personalize_by: Whose vectors a session reads.
        what: What it is, on one line.
        warning: What a reader must know before the code, or "".
    """
    adjuster = settings.adjuster
    remarks = [text for text in (warning, *_remarks(adjuster)) if text]
    return SOURCE.substitute(
        head=f"# {what}",
        semantics=SEMANTICS[adjuster.semantics],
        remarks="".join(f"{_comment(text)}\n" for text in remarks),
        adjuster=CLASSES[adjuster.semantics].__name__,
        settings=_literal(adjuster_arguments(adjuster)),
        interval=adjuster.interval_seconds,
        personalize_by=_literal(personalize_by),
        selection=_literal(asdict(settings.selection)),
    )


def _remarks(adjuster: AdjusterConfig) -> list[str]:
    if adjuster.semantics == "published":
        return []
    bounded = adjuster.max_drift is not None or adjuster.anchor_weight > 0
    memory = {"refit": [REFIT_REMARK], "restart": [RESTART_REMARK]}.get(adjuster.memory, [])
    return memory + [BOUND_REMARK] * bounded


def _comment(text: str) -> str:
    return "\n".join(f"# {line}" for line in wrap(text, WIDTH - 2))


def _literal(data: Any) -> str:
    """Plain data as a Python literal, packed into lines; texts are quoted by Python itself."""
    if not isinstance(data, Mapping) or not data:
        return repr(data)
    lines = [""]
    for key, value in data.items():
        entry = f"{key!r}: {value!r},"
        if len(lines[-1]) + len(entry) > WIDTH - 6:
            lines.append("")
        lines[-1] += f" {entry}"
    return "\n".join(["{", *(f"   {line}" for line in lines), "}"])
