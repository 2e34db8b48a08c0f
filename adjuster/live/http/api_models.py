"""The bodies of requests, as Embedding Studio's clients send them, and their bounds.

Fields that are not named here are read over. Times are epoch seconds, milliseconds, or ISO 8601.
"""

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints

from adjuster.live.http.clickstream import Told
from adjuster.live.storage.records import CLICK, Impression, Rows

MOST_RESULTS, MOST_EVENTS, MOST_PARTS, MOST_DIMENSIONS = 1000, 10_000, 64, 10_000
LONGEST_ID, LONGEST_TEXT = 1000, 10_000
MILLISECONDS_FROM = 100_000_000_000
"""As seconds it is the year 5138, as milliseconds 1973."""


def epoch_seconds(value: Any) -> int:
    """A moment as whole epoch seconds, whatever it was written as.

    Raises:
        ValueError: If it is none.

    Example:
        >>> epoch_seconds(12.9), epoch_seconds(1700000000123), epoch_seconds("1970-01-02")
        (12, 1700000000, 86400)
        >>> epoch_seconds("1970-01-01T00:00:10+00:00"), epoch_seconds("17")
        (10, 17)
    """
    wrong = f"must be epoch seconds, milliseconds or an ISO time, got {value!r:.40}"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(wrong)
    try:
        number = float(value)
    except ValueError:
        try:
            moment = datetime.fromisoformat(str(value))
            number = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            raise ValueError(wrong) from None
    if not 0 <= number < MILLISECONDS_FROM * 1000:
        raise ValueError(wrong)
    return int(number / 1000) if number >= MILLISECONDS_FROM else int(number)


def query_text(value: Any) -> str:
    """What was asked as one text; data that is none is its JSON, keys in order.

    Raises:
        ValueError: If it is empty, or too long.

    Example:
        >>> query_text("shoes"), query_text({"b": 1, "a": "é"})
        ('shoes', '{"a": "é", "b": 1}')
    """
    is_text = isinstance(value, str)
    text = value if is_text else json.dumps(value, sort_keys=True, ensure_ascii=False)
    if value is None or not text or len(text) > LONGEST_TEXT or "\0" in text:
        raise ValueError(
            f"must be a text or JSON of 1 to {LONGEST_TEXT} characters without NUL, "
            f"got {text!r:.40}"
        )
    return text


def zero_for_null(value: Any) -> Any:
    """0 where a client sends null for what it does not give."""
    return 0 if value is None else value


def refuse(value: Any) -> None:
    """Refuse what would change the results of a search and cannot be done here.

    Raises:
        ValueError: If it is asked for.
    """
    if value is not None:
        raise ValueError(
            "must be null: objects have no payload here. Search without it, and for more results "
            "than are shown"
        )


Id = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=r"^[^\x00]*$")]
Time = Annotated[int, BeforeValidator(epoch_seconds)]
Text = Annotated[str, BeforeValidator(query_text)]
Part = Annotated[list[float], Field(min_length=1, max_length=MOST_DIMENSIONS)]
Unserved = Annotated[None, BeforeValidator(refuse)]
Parts = Annotated[list[Part], Field(min_length=1, max_length=MOST_PARTS)]


class ShownResult(BaseModel):
    """One shown result. `rank` and `meta` are read over: results stand as they are listed.

    `propensity` and `team` are what a search answered for it in ``meta``.
    """

    object_id: Id
    propensity: Annotated[float, Field(gt=0, le=1)] | None = None
    team: Id | None = None

    def impression(self) -> Impression:
        """As the store keeps it."""
        return Impression(self.object_id, self.propensity, self.team)


class Asked(BaseModel):
    """What was asked, and by whom."""

    search_query: Text
    query_vector: Parts | Part | None = None
    user_id: Id | None = None
    segment: Id | None = None

    def vectors(self) -> Rows | None:
        """The given vectors, shape ``(parts, D)``, float32.

        Raises:
            ValueError: If parts differ in length.
        """
        if self.query_vector is None:
            return None
        rows = self.query_vector if isinstance(self.query_vector[0], list) else [self.query_vector]
        if len({len(row) for row in rows if isinstance(row, list)}) > 1:
            raise ValueError("query_vector must have parts of one length.")
        return np.array(rows, np.float32)


class NewSession(Asked):
    """``POST /api/v1/clickstream/session``."""

    session_id: Id
    search_results: Annotated[list[ShownResult], Field(max_length=MOST_RESULTS)]
    created_at: Time | None = None


class NewEvent(BaseModel):
    """One event."""

    event_id: Id
    object_id: Id
    event_type: Id = CLICK
    created_at: Time | None = None

    def told(self) -> Told:
        """As the click stream takes it."""
        return Told(self.event_id, self.object_id, self.created_at, self.event_type)


class NewEvents(BaseModel):
    """``POST /api/v1/clickstream/session/events``."""

    session_id: Id
    events: Annotated[list[NewEvent], Field(min_length=1, max_length=MOST_EVENTS)]


class NamedSession(BaseModel):
    """The bodies that only name a session."""

    session_id: Id


class SearchBody(Asked):
    """``POST /api/v1/embeddings/similarity-search``."""

    limit: Annotated[int, Field(ge=1, le=MOST_RESULTS)] = 10
    offset: Annotated[int, Field(ge=0, le=MOST_RESULTS), BeforeValidator(zero_for_null)] = 0
    max_distance: Annotated[float, Field(allow_inf_nan=False)] | None = None
    create_session: bool = False
    session_id: Id | None = None
    filter: Unserved = None
    sort_by: Unserved = None


class NewMode(BaseModel):
    """``POST /live/mode``."""

    mode: Id
    reason: Annotated[str, StringConstraints(max_length=LONGEST_ID)] = ""
