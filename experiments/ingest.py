"""``python -m experiments.ingest``: make a data set of your own log."""

import sys

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.data import IngestConfig


def ingest(config: IngestConfig) -> int:
    """Import a log, print its data card and what was wrong with it."""
    with step("Starting", quiet=True):
        from experiments.commands.ingest import ingest as run
    return run(config)


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("ingest", ingest)


if __name__ == "__main__":
    sys.exit(main())
