"""The arguments of a command as Hydra takes them: flags in any order, one setting once."""

import re
from collections.abc import Sequence
from typing import NoReturn

from hydra._internal.utils import get_args_parser

from adjuster.nearest import did_you_mean, nearest, nearest_first
from experiments.common.errors import InputError

COMPLETION = ("--shell-completion", "-sc")
REFUSED = frozenset(("-m", "--multirun", "--experimental-rerun", "--hydra-help", *COMPLETION))
"""Flags of Hydra that these commands do not offer: the study searches, nothing is unpickled, and
help and completion are their own."""

HEARD = ("hydra.searchpath", "hydra.job.env_set")
"""Settings of Hydra's own that do something here."""

OLD_INTERVAL, INTERVAL = "replay.interval_seconds", "adjuster.interval_seconds"
"""Two names of one setting; the second is its home."""


def arranged(arguments: Sequence[str]) -> list[str]:
    """A command's arguments with its overrides first, so that all of them stand together.

    Behind a flag with an optional value they would be taken for it.

    Args:
        arguments: Flags of Hydra and overrides, in any order; ``-v`` is short for
            ``verbose=true``.

    Raises:
        InputError: For a flag or a setting of Hydra's that is not for these commands, or an
            interval given twice.

    Example:
        >>> arranged(["study.n_trials=5", "--cfg", "job", "-v"])
        ['study.n_trials=5', 'verbose=true', '--cfg', 'job']
    """
    given = ["verbose=true" if argument == "-v" else argument for argument in arguments]
    refused = REFUSED & {argument.split("=")[0] for argument in given}
    if refused:
        own = "; adjuster-tune completion bash completes" if refused & {*COMPLETION} else ""
        raise InputError(f"{', '.join(sorted(refused))} is not for this command{own}.")
    flags, overrides = split_arguments(given)
    _refuse_unknown(flags)
    _refuse_unheard(overrides)
    return [*one_interval(overrides), *flags]


def option_names() -> list[str]:
    """Every option of a command."""
    return [name for action in get_args_parser()._actions for name in action.option_strings]


def _refuse_unknown(flags: Sequence[str]) -> None:
    """Refuse an option that there is not; a beginning that means one of them is one.

    Raises:
        InputError: Naming the nearest one.
    """
    known = option_names()
    for flag in flags:
        name = flag.partition("=")[0]
        if not name.startswith("-") or any(option.startswith(name) for option in known):
            continue
        near = nearest(name, known)
        advice = f"did you mean {near}?" if near else "--help lists what there is."
        raise InputError(f"{name} is not an option; {advice}")


def _refuse_unheard(overrides: Sequence[str]) -> None:
    """Refuse settings of Hydra's own that would do nothing."""
    names = [override.lstrip("+~").partition("=")[0].partition("@")[0] for override in overrides]
    unheard = [
        name
        for name in names
        if name.startswith(("hydra.", "hydra/"))
        and not any(name == heard or name.startswith(f"{heard}.") for heard in HEARD)
    ]
    if unheard:
        raise InputError(
            f"{', '.join(unheard)} would do nothing: a command leaves no folder and no log of "
            "Hydra's behind, and its own files go to output_dir. Leave it out; of Hydra's settings "
            f"{' and '.join(HEARD)} are heard."
        )


def _refuse_value(complaint: str) -> NoReturn:
    """Raise what `argparse` complains of, which would print Hydra's usage and end the process.

    Raises:
        InputError: In a sentence.
    """
    refused = r"argument (\S+?)(/\S+)?: invalid choice: '(.*)' \(choose from (.*)\)"
    found = re.fullmatch(refused, complaint)
    if found is None:
        said = re.sub(r"^argument (\S+?)(/\S+)?:", r"\1:", complaint)
        raise InputError(f"{said}; --help lists what there is.")
    flag, given, choices = found[1], found[3], re.findall(r"[\w-]+", found[4])
    must = ", ".join(nearest_first(given, choices))
    raise InputError(f"{flag} must be one of {must}, got {given}{did_you_mean(given, choices)}")


def split_arguments(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Flags with their values, and overrides; each in the order given.

    Example:
        >>> split_arguments(["a=1", "--config-dir", "here", "b=2"])
        (['--config-dir', 'here'], ['a=1', 'b=2'])

    Raises:
        InputError: For an option whose value is missing or none of its choices.
    """
    parser = get_args_parser()
    parser.error = _refuse_value  # type: ignore[method-assign, assignment]
    found = parser.parse_known_intermixed_args(list(arguments))[0].overrides
    flags, overrides = [], list(found)
    waiting = list(found)
    for argument in arguments:
        if waiting and argument == waiting[0]:
            waiting.pop(0)
        else:
            flags.append(argument)
    return flags, overrides


def one_interval(overrides: Sequence[str]) -> list[str]:
    """Overrides with the interval under its one name.

    Raises:
        InputError: If both names are given, with different values.

    Example:
        >>> one_interval(["study.seed=1", "replay.interval_seconds=900"])
        ['study.seed=1', 'adjuster.interval_seconds=900']
    """
    given = [override.lstrip("+").partition("=") for override in overrides]
    values = {key: value for key, sign, value in given if sign}
    old, new = values.get(OLD_INTERVAL), values.get(INTERVAL)
    if old is None:
        return list(overrides)
    if new is not None and new != old:
        raise InputError(
            f"{OLD_INTERVAL}={old} and {INTERVAL}={new} are one setting with two values; give it "
            f"once, as {INTERVAL}."
        )
    return [
        f"{INTERVAL}={value}" if key == OLD_INTERVAL else override
        for override, (key, _, value) in zip(overrides, given, strict=True)
    ]
