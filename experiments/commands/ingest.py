"""``python -m experiments.ingest``: make a data set of your own log."""

from experiments.common.console import say
from experiments.common.steps import step
from experiments.config.command import OK
from experiments.config.data import IngestConfig
from experiments.config.printed_command import printed_command
from experiments.data.card.page import card_text
from experiments.data.ingestion import ingest_log
from experiments.data.intake.rejections import QUARANTINE_FILE


def ingest(config: IngestConfig) -> int:
    """Import a log, print its data card and what was wrong with it."""
    with step("reading", unit="rows", quiet=True) as advance:
        result = ingest_log(config, advance)
    say(card_text(result.card))
    if result.faults:
        say(f"\nQuarantined ({config.output}/{QUARANTINE_FILE})\n{result.faults}")
    replay = printed_command("sweep", {"dataset": "folder", "dataset.path": str(config.output)})
    say(f"\nreplay it: {replay}")
    return OK
