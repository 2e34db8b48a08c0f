"""The worker's loop and the server's thread, and how both end."""

import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn

from adjuster.live.http.http_guard import HttpGuard
from adjuster.live.learning.following import FollowingWorker
from adjuster.live.learning.scheduler import iter_ticks
from adjuster.live.learning.worker import TickReport
from experiments.common.errors import InputError
from experiments.common.interrupts import arrived

GRACE_SECONDS = 5
"""How long requests under way are waited for."""


def run_worker(worker: FollowingWorker, tell: Callable[[int, TickReport], None]) -> None:
    """Tick until the worker is told to stop, at the interval of the generation that is shown.

    Args:
        worker: The worker.
        tell: Called with each tick's time and report.
    """
    for tick, report in iter_ticks(worker, lambda: worker.interval_seconds, worker.clock):
        tell(tick, report)


@contextmanager
def told_to_end(stop: Callable[[], None]) -> Iterator[None]:
    """While it lasts, SIGTERM calls `stop`, and Ctrl-C gives what is inside the time to end."""

    def handle(number: int, frame: FrameType | None) -> None:
        stop()

    before = signal.signal(signal.SIGTERM, handle)
    try:
        yield
    except KeyboardInterrupt:
        arrived()
        raise
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def served(app: HttpGuard, host: str, port: int) -> Iterator[str]:
    """Answer requests in a thread of its own while it lasts.

    Args:
        app: What answers.
        host: The address.
        port: The port; 0 takes a free one.

    Yields:
        Where it answers, as a URL.

    Raises:
        InputError: If the address cannot be had.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    server = uvicorn.Server(config)
    arguments = {"sockets": [listener]}
    thread = threading.Thread(target=server.run, kwargs=arguments, name="api", daemon=True)
    thread.start()
    try:
        shown = f"[{host}]" if ":" in host else host
        yield f"http://{shown}:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(GRACE_SECONDS + 1)
        listener.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            f"serve.host and serve.port must be an address that is free here, got {host} and "
            f"{port}: {error.strerror}. Take another port."
        ) from None
