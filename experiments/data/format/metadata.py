"""`dataset.yaml`: what a data set is called, how its vectors are compared, where it is from."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from adjuster.index import MetricAggregationType, MetricType, SearchIndexInfo
from experiments.common.plain_yaml import load_plain
from experiments.config.replay import SCOPES
from experiments.data.format.faults import Faults, show
from experiments.data.format.schema import METADATA_FILE

MAX_DIMENSIONS = 100_000
MAX_NAME_BYTES = 200
NAME_MUST = (
    f"a name of at most {MAX_NAME_BYTES} bytes without / and \\, control characters, blanks at its "
    "ends or a dot at its start"
)


@dataclass(frozen=True)
class Metadata:
    """The content of `dataset.yaml`.

    Args:
        name: Name of the data set.
        index: Dimensions, metric and pooling of its vectors.
        source: Where the data come from.
        licence: Under what terms.
        how_made: How the data set was made from the source, and what a reader must know of it.
        personalize_by: Its default scope, or None: by user where users are known.
        complete_lists: Whether all that a session showed stands in the impressions. False where
            results without a vector were left out: positions then have gaps.
        notes: Anything else that stands in the file.
    """

    name: str
    index: SearchIndexInfo
    source: str = ""
    licence: str = ""
    how_made: str = ""
    personalize_by: str | None = None
    complete_lists: bool = True
    notes: dict[str, Any] = field(default_factory=dict)

    def to_yaml(self) -> str:
        """The text of `dataset.yaml`."""
        content = {
            "name": self.name,
            "dimensions": self.index.dimensions,
            "metric_type": self.index.metric_type.value,
            "metric_aggregation_type": self.index.metric_aggregation_type.value,
            "personalize_by": self.personalize_by,
            "source": self.source,
            "licence": self.licence,
            "how_made": self.how_made,
            **({} if self.complete_lists else {"complete_lists": False}),
            **self.notes,
        }
        return yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=100)


def is_plain_name(name: object) -> bool:
    """Whether a name can stand in a path as it is: no separators, no way up, not hidden.

    Example:
        >>> [is_plain_name(name) for name in ("my log", "2024_06", "../../x", ".", "a/b", "")]
        [True, True, False, False, False, False]
    """
    return (
        isinstance(name, str)
        and name.strip() == name != ""
        and len(name.encode(errors="replace")) <= MAX_NAME_BYTES
        and not name.startswith(".")
        and not any(c in "/\\" or ord(c) < 32 or ord(c) == 127 for c in name)
        and not any(0xD800 <= ord(c) < 0xE000 for c in name)
    )


def read_metadata(folder: Path, faults: Faults) -> Metadata | None:
    """Read and check `dataset.yaml`; what is wrong goes to `faults`.

    Returns:
        The metadata, or None if they cannot be used.
    """
    content = _parse(folder / METADATA_FILE, faults)
    if content is None:
        return None
    rules = (
        ("name", is_plain_name, NAME_MUST),
        (
            "dimensions",
            lambda v: type(v) is int and 1 <= v <= MAX_DIMENSIONS,
            f"an integer from 1 to {MAX_DIMENSIONS:,}",
        ),
        ("metric_type", *_one_of([m.value for m in MetricType])),
        ("metric_aggregation_type", *_one_of([m.value for m in MetricAggregationType])),
        ("personalize_by", *_one_of([None, *SCOPES])),
        ("complete_lists", lambda v: v is None or isinstance(v, bool), "true or false"),
        *((key, lambda v: v is None or isinstance(v, str), "text") for key in _TEXTS),
    )
    bad = [(key, must) for key, good, must in rules if not good(content.get(key))]
    for key, must in bad:
        came = show(content[key]) if key in content else "nothing"
        faults.add_file(METADATA_FILE, f"{key} must be {must}, got {came}")
    return None if bad else _metadata(content)


_TEXTS = ("source", "licence", "how_made")


def _one_of(choices: list[Any]) -> tuple[Any, str]:
    words = ", ".join("null" if choice is None else choice for choice in choices)
    return (lambda value: value in choices), f"one of {words}"


def _parse(path: Path, faults: Faults) -> dict[str, Any] | None:
    try:
        content = load_plain(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        faults.add_file(path.name, "the file is missing")
        return None
    except UnicodeDecodeError as error:
        faults.add_file(path.name, f"must be UTF-8 text, got byte {error.object[error.start]:#x}")
        return None
    except (yaml.YAMLError, OSError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        faults.add_file(path.name, f"must be plain YAML (no tags that build objects): {reason}")
        return None
    if not isinstance(content, dict) or not all(isinstance(key, str) for key in content):
        faults.add_file(path.name, f"must be a mapping of names to values, got {show(content)}")
        return None
    return content


def _metadata(content: dict[str, Any]) -> Metadata:
    known = {"name", "dimensions", "metric_type", "metric_aggregation_type", "personalize_by"}
    known.add("complete_lists")
    return Metadata(
        name=content["name"],
        index=SearchIndexInfo(
            content["dimensions"], content["metric_type"], content["metric_aggregation_type"]
        ),
        personalize_by=content.get("personalize_by"),
        complete_lists=content.get("complete_lists") is not False,
        notes={k: v for k, v in content.items() if k not in known and k not in _TEXTS},
        **{key: content.get(key) or "" for key in _TEXTS},
    )
