"""``python -m experiments.track study=NAME``: deliver to MLflow what it does not have yet.

The study's own storage holds every trial; a server that was down or slow misses some of them.
"""

import sys

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.commands import TrackConfig
from experiments.config.study_names import check_study


def track(command: TrackConfig) -> int:
    """Bring MLflow up to a finished or interrupted study; the exit status."""
    check_study(command.study, command.output_dir)
    with step("Starting", quiet=True):
        from experiments.commands.track import track as run
    return run(command)


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("track", track)


if __name__ == "__main__":
    sys.exit(main())
