"""What must stay the same for the trials of one study to be comparable."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from experiments.common.errors import InputError
from experiments.common.files import flatten

FREE = (
    "study.n_trials",
    "study.min_gain",
    "study.workers",
    "study.storage",
    "replay.n_threads",
    "dataset.path",
    "tracking.",
    "engine.",
    "output_dir",
    "verbose",
    "provenance.",
)
"""Settings that may change between two runs of one study: trials stay comparable."""

ADDED: dict[str, Any] = {"study.start_from": []}
"""Settings that studies of earlier versions do not name, with what they did."""

DECIDING = ("adjuster.", "selection.", "objective.", "replay.", "dataset.person", "dataset.finger")
"""Settings that decide what a replay of one configuration shows."""


def definition(settings: Mapping[str, Any], fingerprint: str) -> dict[str, Any]:
    """Everything that the figures of a trial depend on, by dotted name.

    Args:
        settings: The sweep's configuration as nested plain data.
        fingerprint: Of the data set.

    Example:
        >>> definition({"study": {"seed": 3, "n_trials": 9}, "output_dir": "out"}, "abc")
        {'study.seed': 3, 'dataset.fingerprint': 'abc'}
    """
    flat = flatten(settings)
    kept = {name: value for name, value in flat.items() if not f"{name}.".startswith(FREE)}
    return {**kept, "dataset.fingerprint": fingerprint}


def setting_digest(settings: Mapping[str, Any], fingerprint: str) -> str:
    """A digest of what decides one setting's figures: the study and its search have no part in it.

    Args:
        settings: A whole configuration as nested plain data, ``adjuster`` and ``selection`` those
            of the setting.
        fingerprint: Of the data set.

    Returns:
        64 hexadecimal digits.

    Example:
        >>> one = {"study": {"name": "a"}, "adjuster": {"adjustment_rate": 0.1}}
        >>> two = {"study": {"name": "b"}, "adjuster": {"adjustment_rate": 0.1}}
        >>> setting_digest(one, "abc") == setting_digest(two, "abc")
        True
    """
    flat = definition(settings, fingerprint)
    kept = {name: value for name, value in flat.items() if name.startswith(DECIDING)}
    text = json.dumps(kept, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


NEW_NAME = "Give this study another name with study.name=..., or set them back."
"""What helps a sweep whose study has its name."""


def check_same(
    name: str, known: Mapping[str, Any], now: Mapping[str, Any], cure: str = NEW_NAME
) -> None:
    """Refuse to go on with a study whose definition has changed.

    Args:
        name: The study.
        known: The definition that it was made with.
        now: Today's.
        cure: What to do about it, a sentence.

    Raises:
        InputError: Naming every setting that differs, with both values.
    """
    known, now = ({**ADDED, **each} for each in (known, now))
    differing = [
        f"{key} was {known.get(key)}, is {now.get(key)}"
        for key in sorted({*known, *now})
        if known.get(key) != now.get(key)
    ]
    if differing:
        raise InputError(
            f"study.name {name} was started with other settings: {'; '.join(differing)}. {cure}"
        )
