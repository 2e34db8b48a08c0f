"""``python -m experiments.evaluate config=PATH``: replay an exported configuration again."""

import sys

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.commands import EvaluateConfig


def evaluate(command: EvaluateConfig) -> int:
    """Replay a configuration, print its figures beside those it states; the exit status."""
    with step("Starting", quiet=True):
        from experiments.commands.evaluate import evaluate as run
    return run(command)


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("evaluate", evaluate)


if __name__ == "__main__":
    sys.exit(main())
