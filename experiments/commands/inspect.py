"""``python -m experiments.inspect``: the data card of a data set, as table, JSON and HTML."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from experiments.common.console import say
from experiments.common.errors import InputError
from experiments.common.files import write_atomic, write_json
from experiments.common.steps import step
from experiments.config.command import OK
from experiments.config.commands import InspectConfig
from experiments.data.card.card import make_card
from experiments.data.card.counts import card_data_of
from experiments.data.card.page import card_html, card_text
from experiments.data.format.click_log import ClickLog
from experiments.data.format.faults import Faults
from experiments.data.format.folder import load_click_log
from experiments.data.format.metadata import read_metadata
from experiments.data.open_dataset import refuse_partitions
from experiments.judging.outlook import Outlook
from experiments.replay.layout import lay_out
from experiments.replay.replay import Replay
from experiments.replay.settings import Settings
from experiments.review.outlook import outlook_lines
from experiments.study_folder.plain_data import to_plain
from experiments.workflow.first_replay import first_replay
from experiments.workflow.outlook import outlook_of


def inspect(config: InspectConfig) -> int:
    """Read a data set, print its card, write it as JSON and HTML."""
    refuse_partitions(Path(config.dataset.path).expanduser())
    with step(f"Reading {config.dataset.path}", quiet=True):
        log = replace(load_click_log(config.dataset.path), person=config.dataset.person)
    with step("Counting what it holds", quiet=True):
        card = make_card(
            log.name,
            card_data_of(log, config.replay.quiet_seconds),
            imported_rows(config.dataset.path),
            interval_seconds=config.adjuster.interval_seconds,
        )
    with first_replay("Looking at what the data can tell"):
        outlook, lines = foreseen(log, config)
    folder = Path(config.output_dir) / "cards" / log.name
    content = {
        **card.to_dict(),
        "fingerprint": log.fingerprint,
        "outlook": None if outlook is None else to_plain(outlook),
        "outlook_lines": list(lines),
    }
    write_json(folder / "card.json", content)
    write_atomic(folder / "card.html", card_html(card, lines))
    say(card_text(card, lines))
    say(f"\nas JSON and as a page: {folder / 'card.json'}, {folder / 'card.html'}")
    return OK


def foreseen(log: ClickLog, config: InspectConfig) -> tuple[Outlook | None, tuple[str, ...]]:
    """What the log can tell, as a sweep would say it; or why it cannot be replayed."""
    try:
        replay = Replay(lay_out(log, config.replay, config.objective))
    except InputError as error:
        return None, (f"It cannot be replayed: {error}",)
    base = Settings(config.adjuster, config.selection)
    outlook = outlook_of(replay, base, config.guardrails.min_gain)
    return outlook, outlook_lines(outlook)


def imported_rows(path: str) -> dict[str, dict[str, int]]:
    """What `dataset.yaml` says of the rows that an import read; nothing if it says nothing."""
    metadata = read_metadata(Path(path), Faults())
    ingested = metadata.notes.get("ingested") if metadata else None
    rows = ingested.get("rows") if isinstance(ingested, dict) else None
    tables = rows.items() if isinstance(rows, dict) else ()
    return {str(table): counts for table, counts in tables if _are_counts(counts)}


def _are_counts(value: Any) -> bool:
    return (
        isinstance(value, dict) and "read" in value and all(type(n) is int for n in value.values())
    )
