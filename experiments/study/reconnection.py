"""A database that restarts is waited for, a bounded time and with a line that says so."""

import sys
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event

PATIENCE_SECONDS = 120.0
PAUSE_SECONDS = 1.0


def wait_for_restarts(
    engine: Engine,
    patience: float = PATIENCE_SECONDS,
    pause: float = PAUSE_SECONDS,
    say: Callable[[str], None] = lambda line: print(line, file=sys.stderr),
) -> None:
    """Make an engine that was connected once try again when it has to connect anew.

    Only connecting is tried again: nothing is sent twice. Connections that the database dropped
    are found by the pool's ping before they are used.

    Args:
        engine: Made with ``pool_pre_ping``.
        patience: Seconds that a database may be away.
        pause: Seconds between two tries.
        say: Takes the line that tells of the wait.
    """

    def connect(dialect: Any, record: Any, arguments: Any, named: Any) -> Any:
        until = time.monotonic() + patience
        told = False
        while True:
            try:
                return dialect.connect(*arguments, **named)
            except dialect.loaded_dbapi.OperationalError:
                if time.monotonic() >= until:
                    raise
            if not told:
                say(f"The database of study.storage does not answer; waiting {patience:.0f} s …")
                told = True
            time.sleep(pause)

    event.listen(engine, "do_connect", connect)
