"""Simulated visitors who search a live system over HTTP, and what became of it as one table."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from experiments.common.wording import grid
from experiments.data.format.click_log import ClickLog

SHOWN = 10
PRIOR_SHOWN = 5
"""A result's chance to be liked is its query's rate of clicks, with so many of the mean's."""

VISITORS = 50


class Client:
    """Posts and gets JSON over one connection.

    Args:
        address: The server, as a URL.
        token: Sent with every request, if there is one.
    """

    def __init__(self, address: str, token: str | None = None) -> None:
        parts = urlsplit(address)
        assert parts.hostname is not None
        self._connection = HTTPConnection(parts.hostname, parts.port, timeout=60)
        self._headers = {"Content-Type": "application/json"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Post a body.

        Raises:
            ValueError: If it is not taken, in the server's words.
        """
        return self._ask("POST", path, json.dumps(body))

    def get(self, path: str) -> dict[str, Any]:
        """Get an answer."""
        return self._ask("GET", path, None)

    def _ask(self, method: str, path: str, body: str | None) -> dict[str, Any]:
        self._connection.request(method, path, body, self._headers)
        answer = self._connection.getresponse()
        found: dict[str, Any] = json.loads(answer.read())
        if answer.status != 200:
            raise ValueError(f"{method} {path}: {answer.status} {found.get('detail')}")
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Visitors:
    """Who likes what the log's users clicked for the same query, and looks from the top down.

    Args:
        log: Whose queries they ask, as often as its users did.
        seed: Of all that they do.
    """

    def __init__(self, log: ClickLog, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self._texts = [
            str(text or name) for text, name in zip(log.query_texts, log.query_ids, strict=True)
        ]
        counts = np.bincount(log.session_query, minlength=len(self._texts))
        self._share = counts / counts.sum()
        self._liked = _click_rates(log)
        self._mean = float(log.is_clicked.mean())

    def ask(self) -> tuple[int, str, str]:
        """The next search: number and text of its query, and who asks."""
        query = int(self.rng.choice(len(self._share), p=self._share))
        return query, self._texts[query], f"visitor-{self.rng.integers(VISITORS)}"

    def clicks(self, query: int, shown: list[str]) -> list[str]:
        """What they click: looked at with chance (position + 1)^-1/2, then liked by chance."""
        looked = self.rng.random(len(shown)) < (np.arange(len(shown)) + 1.0) ** -0.5
        likes = np.array([self._liked.get((query, name), self._mean) for name in shown])
        clicked = looked & (self.rng.random(len(shown)) < likes)
        return [name for name, flag in zip(shown, clicked, strict=True) if flag]


def _click_rates(log: ClickLog) -> dict[tuple[int, str], float]:
    """(query, object) → its rate of clicks, drawn towards the mean where it was shown rarely."""
    query = np.repeat(log.session_query, np.diff(log.impression_offsets)).astype(np.int64)
    keys, row = np.unique(query * log.n_objects + log.impression_object, return_inverse=True)
    n_shown = np.bincount(row)
    n_clicked = np.bincount(row, log.is_clicked)
    rates = (n_clicked + PRIOR_SHOWN * log.is_clicked.mean()) / (n_shown + PRIOR_SHOWN)
    return {
        (key // log.n_objects, str(log.object_ids[key % log.n_objects])): rate
        for key, rate in zip(keys.tolist(), rates.tolist(), strict=True)
    }


@dataclass
class Sent:
    """What was sent, and how long searches took.

    Args:
        searches: Searches, each with its session written down.
        clicks: Clicks on them.
        seconds: How long each search took.
    """

    searches: int = 0
    clicks: int = 0
    seconds: list[float] = field(default_factory=list)


def send_traffic(
    client: Client,
    visitors: Visitors,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Sent:
    """Search, click and mark for so long.

    Args:
        client: The system.
        visitors: Who does it.
        seconds: How long.
        clock: Seconds.
    """
    sent, ends_at = Sent(), clock() + seconds
    while clock() < ends_at:
        query, text, who = visitors.ask()
        body = {"search_query": text, "limit": SHOWN, "user_id": who, "create_session": True}
        began = clock()
        found = client.post("/api/v1/embeddings/similarity-search", body)
        sent.seconds.append(clock() - began)
        sent.searches += 1
        session = {"session_id": found["session_id"]}
        clicked = visitors.clicks(query, [item["object_id"] for item in found["search_results"]])
        events = [{"event_id": f"click-{name}", "object_id": name} for name in clicked]
        if events:
            client.post("/api/v1/clickstream/session/events", session | {"events": events})
            client.post("/api/v1/clickstream/internal/session/use-for-improvement", session)
        sent.clicks += len(events)
    return sent


def outcome_text(sent: Sent, status: Mapping[str, Any]) -> str:
    """What happened, as one table.

    Args:
        sent: The traffic.
        status: What ``/live/status`` says afterwards.
    """
    milliseconds = 1000 * np.array(sent.seconds or [np.nan])
    sessions, compared, health = status["sessions"], status["interleaving"], status["searches"]
    rows = [
        ("searches", f"{sent.searches:,}"),
        ("clicks", f"{sent.clicks:,}"),
        ("search, median and p99", "{:.1f} and {:.1f} ms".format(*_two(milliseconds))),
        ("sessions learnt", f"{sessions['done']:,}"),
        ("still pending", f"{sessions['pending'] + sessions['processing']:,}"),
        ("failed", f"{sessions['failed']:,}"),
        ("last ticks", _ticks(status["ticks"])),
        ("searches that show a copy", _share(health["reach"])),
        ("mean drift of copies shown", _number(health["drift"])),
        ("mode", f"{status['mode']}: {status['why']}"),
    ]
    if compared is not None:
        rows.append(("interleaved", f"{compared['sessions']:,} sessions: {compared['sentence']}"))
    return "\n".join(grid(rows))


def _two(milliseconds: "np.ndarray[Any, np.dtype[np.float64]]") -> tuple[float, float]:
    middle, late = np.quantile(milliseconds, (0.5, 0.99))
    return float(middle), float(late)


def _ticks(ticks: list[dict[str, int]]) -> str:
    counts = [sum(n for name, n in tick.items() if name != "tick") for tick in ticks]
    return ", ".join(f"{n:,}" for n in counts[::-1]) + " sessions" if counts else "none yet"


def _share(value: float | None) -> str:
    return "not known" if value is None else f"{value:.0%}"


def _number(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"
