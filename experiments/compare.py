"""``python -m experiments.compare studies=a,b``: two results on the same sessions, paired."""

import sys
from collections.abc import Sequence

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.commands import CompareConfig

LISTS = ("studies=", "configs=")


def compare(command: CompareConfig) -> int:
    """Compare two results on the sessions that both score; the exit status."""
    with step("Starting", quiet=True):
        from experiments.commands.compare import compare as run
    return run(command)


def listed(argv: Sequence[str]) -> list[str]:
    """Arguments with ``studies=a,b`` written as the list it is meant to be.

    Example:
        >>> listed(["studies=a,b", "output_dir=x"])
        ['studies=[a,b]', 'output_dir=x']
    """
    return [
        "{0}=[{2}]".format(*argument.partition("="))
        if argument.startswith(LISTS) and "=[" not in argument
        else argument
        for argument in argv
    ]


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("compare", compare, listed(sys.argv[1:]))


if __name__ == "__main__":
    sys.exit(main())
