"""``python -m experiments.sweep``: replay a click log, search the settings, keep the best."""

import sys

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.commands import SweepConfig


def sweep(config: SweepConfig) -> int:
    """Run a study to its length and write what it found; the exit status."""
    with step("Starting", quiet=True):
        from experiments.commands.sweep import sweep as run
    return run(config)


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("sweep", sweep)


if __name__ == "__main__":
    sys.exit(main())
