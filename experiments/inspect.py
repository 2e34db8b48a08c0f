"""``python -m experiments.inspect``: the data card of a data set, as table, JSON and HTML."""

import sys

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.commands import InspectConfig


def inspect(config: InspectConfig) -> int:
    """Read a data set, print its card, write it as JSON and HTML."""
    with step("Starting", quiet=True):
        from experiments.commands.inspect import inspect as run
    return run(config)


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("inspect", inspect)


if __name__ == "__main__":
    sys.exit(main())
