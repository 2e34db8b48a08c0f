"""``python -m experiments.export study=NAME``: open the sealed test, write the configuration."""

import sys

from experiments.common.steps import step
from experiments.config.command import run_command
from experiments.config.commands import ExportConfig
from experiments.config.study_names import check_study


def export(command: ExportConfig) -> int:
    """Open the sealed test on the chosen trial and write it into the study's folder; the status."""
    check_study(command.study, command.output_dir)
    with step("Starting", quiet=True):
        from experiments.commands.export import export as run
    return run(command)


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("export", export)


if __name__ == "__main__":
    sys.exit(main())
