"""``python -m experiments.partition``: cut a data set, so that a sweep needs one part in memory."""

import sys

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.partitions import PartitionConfig


def partition(config: PartitionConfig) -> int:
    """Cut, and say what there is."""
    with step("Starting", quiet=True):
        from experiments.commands.partition import partition as run
    return run(config)


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("partition", partition)


if __name__ == "__main__":
    sys.exit(main())
