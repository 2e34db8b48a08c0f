"""What a study that ended by itself left open, in a sentence."""


def still_open(expected: float | None, n: int, min_gain: float) -> str:
    """Why a study of ``study.n_trials=auto`` ended, or would not have yet.

    Args:
        expected: What as many trials again would be expected to gain; None if that is unknown.
        n: How many trials there are.
        min_gain: ``study.min_gain``.
    """
    if expected is None:
        return f"Whether more than {n} trials would gain anything cannot be told from these."
    more = f"as many trials again would be expected to gain {_fine(expected)}"
    if expected < min_gain:
        return (
            f"Enough: {more} of what users can tell apart, below study.min_gain={min_gain:g}. "
            f"study.n_trials={2 * n} runs them all the same."
        )
    return (
        f"Still open after {n} trials: {more}, not below study.min_gain={min_gain:g}. The same "
        f"command with study.n_trials={2 * n} goes on."
    )


def _fine(gain: float) -> str:
    """Four decimals: what is asked for may be a thousandth."""
    return f"{gain:+.4f}".replace("0.", ".", 1)
