"""``python -m experiments.simulate``: write the log of a shop whose truth is known."""

import sys

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.data import SimulateConfig


def simulate(config: SimulateConfig) -> int:
    """Simulate, write, read again to check, and say what there is."""
    with step("Starting", quiet=True):
        from experiments.commands.simulate import simulate as run
    return run(config)


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("simulate", simulate)


if __name__ == "__main__":
    sys.exit(main())
