"""``python -m experiments.ingest``: make a data set of your own log."""

import sys

from tqdm import tqdm

from experiments.config.command import OK, run_command
from experiments.config.data import IngestConfig
from experiments.config.printed_command import printed_command
from experiments.data.card.page import card_text
from experiments.data.ingestion import ingest_log
from experiments.data.intake.rejections import QUARANTINE_FILE


def ingest(config: IngestConfig) -> int:
    """Import a log, print its data card and what was wrong with it."""
    with tqdm(unit=" rows", unit_scale=True, desc="ingest", file=sys.stderr) as bar:
        result = ingest_log(config, bar.update)
    print(card_text(result.card))
    if result.faults:
        print(f"\nQuarantined ({config.output}/{QUARANTINE_FILE})\n{result.faults}")
    replay = printed_command("sweep", {"dataset": "folder", "dataset.path": str(config.output)})
    print(f"\nreplay it: {replay}")
    return OK


def main() -> int:
    """Run the command with the process's arguments."""
    return run_command("ingest", ingest)


if __name__ == "__main__":
    sys.exit(main())
