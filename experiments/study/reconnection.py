"""A database that restarts is waited for, a bounded time and with a line that says so."""

import math
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from optuna.exceptions import StorageInternalError
from optuna.storages import RDBStorage
from sqlalchemy import Engine, event
from sqlalchemy.exc import (
    InterfaceError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
)

from experiments.common.errors import Outage
from experiments.common.secrets import without_user_info

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 1.0

REPEATABLE = (
    "create_new_study",
    "get_study_id_from_name",
    "get_study_name_from_id",
    "get_study_directions",
    "get_study_user_attrs",
    "get_study_system_attrs",
    "set_study_user_attr",
    "set_study_system_attr",
    "get_trial",
    "_get_trials",
    "set_trial_user_attr",
    "set_trial_system_attr",
    "record_heartbeat",
    "_get_stale_trial_ids",
)
"""What Optuna asks of a database that may be asked twice, as the answer of the first may be lost.

A study that is made twice is found the second time. Claiming and finishing a trial are not here:
the study itself sees to them.
"""

Answer = TypeVar("Answer")


class Teller:
    """Tells of an outage once, however many connections and threads notice it.

    Args:
        say: Takes the line.
    """

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._noticed = -math.inf

    def notice(self, patience: float) -> None:
        """Somebody has no answer."""
        now = time.monotonic()
        if now - self._noticed > patience:
            self._say(f"The database of study.storage does not answer; waiting {patience:.0f} s …")
        self._noticed = now


TELLER = Teller(lambda line: print(line, file=sys.stderr))


def wait_for_restarts(
    engine: Engine,
    patience: float = PATIENCE_SECONDS,
    pause: float = PAUSE_SECONDS,
    teller: Teller = TELLER,
) -> None:
    """Make an engine that was connected once try again when it has to connect anew.

    Only connecting is tried again: nothing is sent twice. Connections that the database dropped
    are found by the pool's ping before they are used.

    Args:
        engine: Made with ``pool_pre_ping``.
        patience: Seconds that a database may be away.
        pause: Seconds between two tries.
        teller: Told of the wait.

    Raises:
        Outage: On connecting, once patience is at its end.
    """

    def connect(dialect: Any, record: Any, arguments: Any, named: Any) -> Any:
        until = time.monotonic() + patience
        while True:
            try:
                return dialect.connect(*arguments, **named)
            except dialect.loaded_dbapi.OperationalError as error:
                if time.monotonic() >= until:
                    raise Outage(_gone(error, patience)) from None
            teller.notice(patience)
            time.sleep(pause)

    event.listen(engine, "do_connect", connect)


def patiently(
    run: Callable[[], Answer],
    patience: float = PATIENCE_SECONDS,
    pause: float = PAUSE_SECONDS,
    teller: Teller = TELLER,
) -> Answer:
    """Run what may be run twice, again where the database goes away meanwhile.

    Args:
        run: What to do; all of it is done again.
        patience: Seconds that it may fail.
        pause: Seconds between two tries.
        teller: Told of the wait.

    Raises:
        Outage: Once patience is at its end.
    """
    until = math.inf
    while True:
        try:
            return run()
        except (SQLAlchemyError, StorageInternalError) as error:
            if not is_connection_lost(error):
                raise
            until = min(until, time.monotonic() + patience)
            if time.monotonic() >= until:
                raise Outage(_gone(error, patience)) from None
        teller.notice(patience)
        time.sleep(pause)


def is_connection_lost(error: BaseException) -> bool:
    """Whether the database went away, as far as the error or what led to it tells."""
    lost = (OperationalError, InterfaceError, PendingRollbackError)
    return any(
        isinstance(cause, lost) or getattr(cause, "connection_invalidated", False)
        for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what led to it, the last first."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _gone(error: BaseException, patience: float) -> str:
    first = list(_causes(error))[-1]
    reason = without_user_info(" ".join(str(first).split())).rstrip(".")
    return (
        f"The database of study.storage did not answer for {patience:.0f} s: {reason}. Finished "
        "trials are kept; the same command goes on with them."
    )


class PatientStorage(RDBStorage):
    """Optuna's storage in a database, asked again where an answer was lost."""


def _again(name: str) -> Callable[..., Any]:
    once = getattr(RDBStorage, name)

    def method(self: PatientStorage, *arguments: Any, **named: Any) -> Any:
        return patiently(lambda: once(self, *arguments, **named))

    method.__name__ = name
    return method


for _name in REPEATABLE:
    setattr(PatientStorage, _name, _again(_name))
