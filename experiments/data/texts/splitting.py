"""Long texts as parts that a text model can take."""

from collections.abc import Callable, Sequence


def split_text(
    text: str,
    max_tokens: int,
    max_parts: int,
    count_tokens: Callable[[Sequence[str]], Sequence[int]],
) -> list[str]:
    """Split a text between words into parts of at most so many tokens.

    Args:
        text: Any text.
        max_tokens: Tokens a part; a single longer word is a part of its own.
        max_parts: The rest of a longer text is left out.
        count_tokens: Words → the number of tokens of each.

    Returns:
        The parts in order; none for a text without words.

    Example:
        >>> split_text("one two three", 2, 9, lambda words: [1] * len(words))
        ['one two', 'three']
    """
    if len(text.encode()) <= max_tokens:  # A token is at least one byte.
        return [text] if text.strip() else []
    words = text.split()
    parts: list[list[str]] = []
    room = 0
    for word, n_tokens in zip(words, count_tokens(words), strict=True):
        if not parts or n_tokens > room:
            parts.append([])
            room = max_tokens
        parts[-1].append(word)
        room -= n_tokens
    return [" ".join(part) for part in parts[:max_parts]]
