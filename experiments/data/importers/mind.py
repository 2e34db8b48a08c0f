"""MIND, the Microsoft News Dataset: `behaviors.tsv` and `news.tsv`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from experiments.config.data import IngestConfig
from experiments.data.importers.base import Importer, Searches, find_file
from experiments.data.intake.intake import Intake
from experiments.data.readers.csv_file import CsvForm, read_csv
from experiments.data.readers.row_blocks import RowBlock

BEHAVIOR_COLUMNS = ["impression_id", "user_id", "time", "history", "impressions"]
NEWS_COLUMNS = [
    "news_id",
    "category",
    "subcategory",
    "title",
    "abstract",
    "url",
    "title_entities",
    "abstract_entities",
]
TIME_FORMAT = "%m/%d/%Y %I:%M:%S %p"


def read(root: Path, _: IngestConfig, intake: Intake) -> None:
    """Read the news, whose titles also serve as queries, then the impressions."""
    news = find_file(root, ["news"], [".tsv"], intake)
    behaviors = find_file(root, ["behaviors"], [".tsv"], intake)
    titles: dict[str, str] = {}
    if news is not None:
        for block in _read(news, "items", NEWS_COLUMNS, intake):
            _add_news(block, titles, intake)
    if behaviors is not None:
        for block in _read(behaviors, "sessions", BEHAVIOR_COLUMNS, intake):
            _add_behaviors(block, titles, intake)


def _read(path: Path, table: str, columns: list[str], intake: Intake) -> Any:
    return read_csv(path, table, intake, CsvForm("\t", columns, quoted=False))


def _add_news(block: RowBlock, titles: dict[str, str], intake: Intake) -> None:
    ids, names = block.columns["news_id"], block.columns["title"]
    titles.update(
        (key, title)
        for key, title in zip(ids.to_pylist(), names.to_pylist(), strict=True)
        if key and title
    )
    columns = {"object_id": ids, "title": names, "body": block.columns["abstract"]}
    intake.add("items", block.file, block.rows, columns)


def _add_behaviors(block: RowBlock, titles: dict[str, str], intake: Intake) -> None:
    searches = Searches(block.file)
    values = [block.columns[name].to_pylist() for name in BEHAVIOR_COLUMNS]
    for line, name, user, time, history, shown in zip(block.rows.tolist(), *values, strict=True):
        query = last_title(history, titles)
        results = [item.rsplit("-", 1) for item in (shown or "").split()]
        if query is None:
            searches.leave_out("sessions", why_no_query(history))
        elif not results or any(len(pair) != 2 or pair[1] not in ("0", "1") for pair in results):
            what = "impressions must be news ids with -1 (clicked) or -0, between blanks"
            intake.reject("sessions", block.file, line, what, str(shown))
        else:
            owner = {"session_id": name, "created_at": seconds_of(time)}
            news = [pair[0] for pair in results]
            searches.add_session(line, news, user_id=user, query_text=query, **owner)
            for item in (pair[0] for pair in results if pair[1] == "1"):
                searches.add_event(line, event_id=f"{name}-{item}", object_id=item, **owner)
    searches.send(intake)


def why_no_query(history: str | None) -> str:
    """Why there is no title that could stand in for a query.

    Example:
        >>> why_no_query(None), why_no_query("N9")
        ('of readers without a history', 'of readers whose history is not in the news')
    """
    if (history or "").split():
        return "of readers whose history is not in the news"
    return "of readers without a history"


def last_title(history: str | None, titles: dict[str, str]) -> str | None:
    """The title of the article read last, or None."""
    for key in reversed((history or "").split()):
        if key in titles:
            return titles[key]
    return None


def seconds_of(time: str | None) -> Any:
    """Epoch seconds of a time such as `11/11/2019 9:05:58 AM`; anything else as it came."""
    try:
        return int(datetime.strptime(time or "", TIME_FORMAT).replace(tzinfo=UTC).timestamp())
    except ValueError:
        return time


IMPORTER = Importer(
    read=read,
    click_types=None,
    source="MIND, the Microsoft News Dataset (behaviors.tsv, news.tsv)",
    licence="Microsoft Research License Terms",
    how_made=(
        "A session is an impression. News has no queries: the title of the article that the user "
        "read last stands in for one. MIND SHUFFLES THE ORDER OF AN IMPRESSION: positions say "
        "nothing. A click has the time of its impression, the only one known."
    ),
)
