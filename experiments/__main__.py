"""``adjuster-tune COMMAND``, or ``python -m experiments COMMAND``: every command by its name."""

import sys
from collections.abc import Sequence
from importlib import import_module

from adjuster.nearest import nearest
from experiments.benchmarks.parts import PARTS
from experiments.common.code_version import version_text
from experiments.common.errors import InputError
from experiments.config.command import OK, ended
from experiments.config.commands import COMMANDS
from experiments.config.completion import SHELLS, completion_script
from experiments.config.help_page import header
from experiments.config.serve import ROLES

BENCHMARK = "measure this machine, print, keep the figures."
COMPLETION = f"print what completes commands and settings in {' or '.join(SHELLS)}."
SPOKEN = {"benchmark": tuple(PARTS), "completion": SHELLS, "serve": ROLES}
"""Command → words that it takes beside settings."""

USAGE = "adjuster-tune COMMAND [SETTING=VALUE …] [--help] [--version]"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command by its name; without one, list them.

    Args:
        argv: The command and its arguments; the process's own by default.

    Returns:
        The exit status, as every command's.
    """
    name, *rest = (sys.argv[1:] if argv is None else argv) or ["--help"]
    if name in COMMANDS or name == "benchmark":
        sys.argv = [f"adjuster-tune {name}", *rest]
        status: int = import_module(f"experiments.{name}").main()
        return status
    return ended(lambda: _told(name, rest))


def _told(name: str, rest: Sequence[str]) -> int:
    """Print what was asked for in place of running a command."""
    if name in ("-h", "--help", "help"):
        print("\n".join(command_list()))
    elif name == "--version":
        print(version_text())
    elif name == "completion":
        print(completion_script(rest[0] if rest else "", SPOKEN), end="")
    else:
        raise InputError(unknown_command(name))
    return OK


def sentences() -> dict[str, str]:
    """Command → what it does, in one sentence."""
    told = {name: header(name).partition(": ")[2] for name in COMMANDS}
    return {**told, "benchmark": BENCHMARK, "completion": COMPLETION}


def command_list() -> list[str]:
    """The commands with a sentence each, as lines."""
    width = max(map(len, sentences()))
    return [
        f"usage: {USAGE}",
        "",
        *(f"  {name.ljust(width)}  {text}" for name, text in sentences().items()),
        "",
        "adjuster-tune COMMAND --help lists a command's settings with a sentence each.",
    ]


def unknown_command(name: str) -> str:
    """What is said of a command that there is not.

    Example:
        >>> unknown_command("swep")
        'swep is not a command; did you mean sweep?'
    """
    names = list(sentences())
    near = nearest(name, names)
    said = f"did you mean {near}?" if near else f"there are {', '.join(names)}."
    return f"{name} is not a command; {said}"


if __name__ == "__main__":
    sys.exit(main())
