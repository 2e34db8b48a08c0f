"""Range checks of settings: one error that lists every value out of range."""

from typing import Any

Rule = tuple[str, Any, bool, str]
"""Field, value, whether it is good, what it must be."""


def check(section: str, rules: list[Rule]) -> None:
    """Raise one `ValueError` with a line for every rule that fails.

    Args:
        section: What the fields belong to; "" for settings of the command itself.
        rules: The rules.

    Raises:
        ValueError: Naming each field, what it must be and what came.

    Example:
        >>> check("parts", [("size", 0, False, ">= 1")])
        Traceback (most recent call last):
        ValueError: parts.size must be >= 1, got 0.
    """
    prefix = f"{section}." if section else ""
    faults = [
        f"{prefix}{name} must be {must}, got {value}."
        for name, value, good, must in rules
        if not good
    ]
    if faults:
        raise ValueError("\n".join(faults))
