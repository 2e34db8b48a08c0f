"""``python -m experiments.export study=NAME``: write the best configuration of a study."""

import json
import sys

from experiments.best import write_best
from experiments.command_line import FAILED, OK, run_command
from experiments.config import ExportConfig
from experiments.records import best_feasible
from experiments.run import load_study


def export(command: ExportConfig) -> int:
    """Write ``best.yaml`` into the study's folder; the exit status."""
    config, study, outputs = load_study(command.output_dir, command.study)
    try:
        best = best_feasible(study.records())
    finally:
        study.close()
    if best is None:
        print(
            f"Study {command.study} has no trial within its guardrails: nothing to export.",
            file=sys.stderr,
        )
        return FAILED
    summary = json.loads(outputs.summary.read_text(encoding="utf-8"))
    write_best(outputs.best, config, best, summary)
    print(f"trial {best.number} of study {command.study}: {outputs.best}")
    print(f"replay it: python -m experiments.evaluate config={outputs.best}")
    return OK


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("export", export)


if __name__ == "__main__":
    sys.exit(main())
