"""A setting with its range and its sentence, beside each other in the field of a dataclass."""

import math
from collections.abc import Callable, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from numbers import Integral, Real
from typing import Any, NamedTuple

from adjuster.nearest import did_you_mean


@dataclass(frozen=True)
class Constraint:
    """What a value must be: a test, and the same in words.

    Args:
        words: Goes on from "must be".
        holds: Whether a value keeps to it; false for values of another type.
        choices: The words that it may be, if it may be words.
    """

    words: str
    holds: Callable[[Any], bool]
    choices: tuple[str, ...] = ()


ANYTHING = Constraint("", lambda value: True)


class Rule(NamedTuple):
    """A range that more than one setting decides."""

    name: str
    value: Any
    good: bool
    must: str
    choices: tuple[str, ...] = ()


def setting(
    default: Any = MISSING,
    must: Constraint = ANYTHING,
    text: str = "",
    *,
    factory: Any = MISSING,
) -> Any:
    """A field of a dataclass of settings.

    Args:
        default: Its default.
        must: What it must be; `check_settings` sees to it.
        text: What it means, as a sentence for ``--help`` and the settings page.
        factory: Makes the default where that is a list or another group of settings.

    Example:
        >>> @dataclass
        ... class PartsConfig:
        ...     size: int = setting(8, at_least(1, "word"), "Words of a part.")
        ...
        ...     def __post_init__(self):
        ...         check_settings(self, "parts")
        >>> PartsConfig().size
        8
        >>> PartsConfig(0)
        Traceback (most recent call last):
        ValueError: parts.size must be >= 1 word, got 0.
    """
    metadata = {"must": must, "text": text}
    if factory is not MISSING:
        return field(default_factory=factory, metadata=metadata)
    return field(default=default, metadata=metadata)


def check_settings(config: Any, section: str, rules: Sequence[Rule] = ()) -> None:
    """Check every setting of a dataclass, and tell all faults at once.

    Args:
        config: An instance whose fields were made by `setting`.
        section: What stands before the settings' names; "" for a command's own.
        rules: Ranges that more than one setting decides.

    Raises:
        ValueError: A line for each fault: the setting, what it must be and what came.
    """
    prefix = f"{section}." if section else ""
    own = [_own_rule(item, getattr(config, item.name)) for item in fields(config)]
    faults = [
        f"{prefix}{rule.name} must be {rule.must}, got {rule.value}"
        f"{did_you_mean(str(rule.value), rule.choices)}"
        for rule in (*own, *rules)
        if not rule.good
    ]
    if faults:
        raise ValueError("\n".join(faults))


def _own_rule(item: "Field[Any]", value: Any) -> Rule:
    must = must_of(item)
    return Rule(item.name, value, must.holds(value), must.words, must.choices)


def must_of(item: "Field[Any]") -> Constraint:
    """What a setting must be."""
    constraint = item.metadata.get("must", ANYTHING)
    assert isinstance(constraint, Constraint)
    return constraint


def text_of(item: "Field[Any]") -> str:
    """What a setting means; "" for a group of settings."""
    return str(item.metadata.get("text", ""))


def at_least(low: float, unit: str = "") -> Constraint:
    """Not below a bound.

    Args:
        low: The bound.
        unit: Stands behind it in words.
    """
    return Constraint(f">= {low} {unit}".rstrip(), lambda value: _is_number(value) and value >= low)


def whole(unit: str = "", at_most: int | None = None) -> Constraint:
    """A whole number, not below 0, not above a bound.

    Example:
        >>> whole(at_most=9).words, whole(at_most=9).holds(10)
        ('a whole number from 0 to 9', False)
    """
    if at_most is not None:
        return Constraint(
            f"a whole number from 0 to {at_most} {unit}".rstrip(),
            lambda value: isinstance(value, Integral) and 0 <= int(value) <= at_most,
        )
    return Constraint(
        f"a whole number >= 0 {unit}".rstrip(),
        lambda value: isinstance(value, Integral) and int(value) >= 0,
    )


def positive(at_most: float = math.inf) -> Constraint:
    """A finite number above 0, not above a bound.

    Example:
        >>> positive().words, positive(10).holds(10), positive(10).holds(11)
        ('> 0 and finite', True, False)
    """
    upper = "finite" if at_most == math.inf else f"<= {at_most:g}"
    return Constraint(f"> 0 and {upper}", lambda value: _is_finite(value) and 0 < value <= at_most)


def not_negative() -> Constraint:
    """A finite number, not below 0."""
    return Constraint(">= 0 and finite", lambda value: _is_finite(value) and value >= 0)


def number() -> Constraint:
    """Any finite number."""
    return Constraint("a finite number", _is_finite)


def between(low: float, high: float, ends: str = "[]") -> Constraint:
    """Within an interval.

    Args:
        low: Its lower end.
        high: Its upper end.
        ends: A square bracket at an end that belongs to it, a round one at an end that does not.

    Example:
        >>> between(0, 1, "[)").words, between(0, 1, "[)").holds(1)
        ('in [0, 1)', False)
    """

    def holds(value: Any) -> bool:
        return (
            _is_number(value)
            and low <= value <= high
            and (value != low or ends[0] == "[")
            and (value != high or ends[1] == "]")
        )

    return Constraint(f"in {ends[0]}{low}, {high}{ends[1]}", holds)


def one_of(*choices: str) -> Constraint:
    """One of some words."""
    return Constraint(f"one of {', '.join(choices)}", lambda value: value in choices, choices)


def or_null(constraint: Constraint, meaning: str = "") -> Constraint:
    """That, or null.

    Args:
        constraint: What it must be where it is not null.
        meaning: What null stands for: goes on from "or null".
    """
    words = f"{constraint.words}, or null {meaning}" if meaning else f"{constraint.words} or null"
    return Constraint(
        words, lambda value: value is None or constraint.holds(value), constraint.choices
    )


def or_word(constraint: Constraint, word: str) -> Constraint:
    """That, or a word."""
    return Constraint(
        f"{constraint.words} or {word}",
        lambda value: value == word or constraint.holds(value),
        (*constraint.choices, word),
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and not math.isnan(value)


def _is_finite(value: Any) -> bool:
    return isinstance(value, Real) and math.isfinite(value)
