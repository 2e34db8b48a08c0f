"""Texts and names as MLflow takes them: what is too long is cut, and says so."""

import hashlib
import re

LONGEST_KEY, LONGEST_PARAM, LONGEST_TAG = 250, 6000, 5000
"""What every MLflow server takes."""

DIGEST = 8


def shortened(text: str, longest: int) -> str:
    """A text of at most so many characters; one that was cut ends with how long it was.

    Example:
        >>> shortened("short", 20), shortened("x" * 100, 24)
        ('short', 'xxxxxx… (100 characters)')
    """
    if len(text) <= longest:
        return text
    mark = f"… ({len(text)} characters)"
    return text[: longest - len(mark)] + mark


def key_of(name: str) -> str:
    """A name as MLflow takes it for a parameter, a metric or a tag; others stay apart.

    Example:
        >>> key_of("adjuster.num_iterations"), key_of("a+b")
        ('adjuster.num_iterations', 'a_b..300273da')
    """
    plain = re.sub(r"[^/\w.\- :]", "_", name).strip("/.") or "_"
    if plain == name and len(name) <= LONGEST_KEY:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:DIGEST]
    return f"{plain[: LONGEST_KEY - DIGEST - 2]}..{digest}"
