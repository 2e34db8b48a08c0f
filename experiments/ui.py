"""``python -m experiments.ui``: the MLflow UI over all studies of a folder, until Ctrl-C."""

import sys

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.commands import UiConfig


def ui(command: UiConfig) -> int:
    """Serve the runs on this machine and say where they can be opened."""
    with step("Starting", quiet=True):
        from experiments.commands.ui import ui as run
    return run(command)


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("ui", ui)


if __name__ == "__main__":
    sys.exit(main())
