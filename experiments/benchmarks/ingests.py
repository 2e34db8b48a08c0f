"""Part ``ingest``: how long a log of ten million impressions takes to import, and what memory."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import numpy as np

from experiments.benchmarks.clock import in_own_process, peak_above_start
from experiments.benchmarks.parts import Measured
from experiments.common.wording import grid
from experiments.config.data import IngestConfig
from experiments.data.ingestion import ingest_log

GIB = 2**30
N_IMPRESSIONS = 10_000_000
N_SHOWN = 20
N_OBJECTS, N_QUERIES, DIMENSIONS = 20_000, 1_000, 64
START, STEP_SECONDS = 1_700_000_000, 5
CLICK_CHANCE = 0.05
BLOCK = 10_000


def measure() -> Measured:
    """Write a log in JSON lines, import it in a process of its own, and remove both."""
    with TemporaryDirectory(prefix="ingest-") as name:
        folder = Path(name)
        print(f"Writing a log of {N_IMPRESSIONS:,} impressions …", file=sys.stderr)
        write_log(folder / "log", N_IMPRESSIONS // N_SHOWN)
        seconds, peak = in_own_process(import_cost, folder / "log", folder / "out")
    figures = {
        "ingest.impressions": float(N_IMPRESSIONS),
        "ingest.seconds": seconds,
        "ingest.impressions_per_second": N_IMPRESSIONS / seconds,
        "ingest.peak_gib": peak / GIB,
    }
    head = ("import", "impressions", "seconds", "peak GiB")
    row = ("JSON lines", f"{N_IMPRESSIONS:,}", f"{seconds:.1f}", f"{peak / GIB:.2f}")
    return Measured(figures, "\n".join(grid([head, row])))


def import_cost(log: Path, output: Path) -> tuple[float, int]:
    """Seconds that an import takes, and the bytes that memory rises."""
    config = IngestConfig(source="embedding_studio", path=str(log), output=str(output))
    with peak_above_start() as risen:
        started = perf_counter()
        ingest_log(config)
        seconds = perf_counter() - started
    return seconds, risen[0]


def write_log(folder: Path, n_sessions: int) -> None:
    """Write a log in the form of Embedding Studio's exports.

    Args:
        folder: Where to write.
        n_sessions: Sessions of `N_SHOWN` results each.
    """
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    _write_vectors(folder / "objects.csv", "object", N_OBJECTS, rng)
    _write_vectors(folder / "queries.csv", "query", N_QUERIES, rng)
    with (
        (folder / "sessions.jsonl").open("w", encoding="utf-8") as sessions,
        (folder / "events.jsonl").open("w", encoding="utf-8") as events,
    ):
        for start in range(0, n_sessions, BLOCK):
            numbers = range(start, min(start + BLOCK, n_sessions))
            for session, clicks in _records(numbers, n_sessions, rng):
                sessions.write(json.dumps(session) + "\n")
                events.writelines(json.dumps(click) + "\n" for click in clicks)


def _write_vectors(path: Path, prefix: str, n: int, rng: np.random.Generator) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write("object_id,vector\n")
        for number, vector in enumerate(rng.standard_normal((n, DIMENSIONS)).round(5).tolist()):
            file.write(f'{prefix} {number},"{json.dumps(vector)}"\n')


def _records(
    numbers: range, n_sessions: int, rng: np.random.Generator
) -> Iterator[tuple[dict[str, object], list[dict[str, object]]]]:
    """Each session and its clicks."""
    first = rng.integers(0, N_OBJECTS, len(numbers)).tolist()
    queries = rng.integers(0, N_QUERIES, len(numbers)).tolist()
    users = rng.integers(0, n_sessions // 10 + 1, len(numbers)).tolist()
    clicked = rng.random((len(numbers), N_SHOWN)) < CLICK_CHANCE
    for place, number in enumerate(numbers):
        shown = [f"object {(first[place] + 7 * rank) % N_OBJECTS}" for rank in range(N_SHOWN)]
        at = START + STEP_SECONDS * number
        session = {
            "session_id": f"session {number}",
            "search_query": f"query {queries[place]}",
            "created_at": at,
            "search_results": [
                {"object_id": n, "rank": r, "meta": {}} for r, n in enumerate(shown)
            ],
            "user_id": f"user {users[place]}",
            "is_irrelevant": False,
        }
        yield (
            session,
            [
                {
                    "event_id": f"event {number} {rank}",
                    "session_id": session["session_id"],
                    "object_id": shown[rank],
                    "event_type": "click",
                    "created_at": at + 2 + rank,
                }
                for rank in np.flatnonzero(clicked[place]).tolist()
            ],
        )
