"""Many threads' writes in one transaction, each answered when it is on the disk.

A disk keeps some hundred promises a second, however small each is. So one thread writes for all:
what came while it waited for the disk is the next transaction (group commit; DeWitt et al.,
"Implementation techniques for main memory database systems", 1984). Nobody waits for company: a
request that comes alone is written alone.
"""

from collections.abc import Callable
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from typing import Any, NamedTuple, TypeVar

from adjuster.live.storage.store import Store, StoreUnavailable

MOST_TOGETHER = 256
"""Requests in one transaction: others wait for its lock, and the first for the last."""

T = TypeVar("T")


class _Request(NamedTuple):
    """What is to be done, and who waits for it."""

    work: Callable[[Store], Any]
    answer: "Future[Any]"


class GroupCommit:
    """Writes for many threads over one connection of its own.

    Args:
        open_store: Opens the connection when it is first needed.

    Example:
        >>> from adjuster.live.storage.sqlite_store import SqliteStore
        >>> commits = GroupCommit(lambda: SqliteStore(":memory:"))
        >>> commits.run(lambda store: store.set_state("mode", "off"))
        >>> commits.run(lambda store: store.state("mode"))
        'off'
        >>> commits.close()
    """

    def __init__(self, open_store: Callable[[], Store]) -> None:
        self._open_store = open_store
        self._store: Store | None = None
        self._waiting: SimpleQueue[_Request | None] = SimpleQueue()
        self._is_closed, self._door = False, Lock()
        self._thread = Thread(target=self._serve, name="group commit", daemon=True)
        self._thread.start()

    def run(self, work: Callable[[Store], T]) -> T:
        """Do something with the store; returns when what was written is kept.

        What `work` raises is raised here, and of this request nothing is written; requests beside
        it are not touched.

        Args:
            work: Takes the store; called in another thread, within a transaction.

        Raises:
            StoreUnavailable: If the store could not keep it.
            RuntimeError: If this is closed.
        """
        return self.submit(work).result()

    def submit(self, work: Callable[[Store], T]) -> "Future[T]":
        """Like `run`, without waiting."""
        answer: Future[T] = Future()
        with self._door:
            if self._is_closed:
                raise RuntimeError("nothing can be written any more: the store is closed.")
            self._waiting.put(_Request(work, answer))
        return answer

    def close(self) -> None:
        """Write what is waiting, and let go of the connection."""
        with self._door:
            if not self._is_closed:
                self._is_closed = True
                self._waiting.put(None)
        self._thread.join()

    def _serve(self) -> None:
        is_open = True
        while is_open:
            requests, is_open = self._next()
            if requests:
                self._write(requests)
        if self._store is not None:
            self._store.close()

    def _next(self) -> tuple[list[_Request], bool]:
        """All that waits now, at least one; and whether more may come."""
        requests: list[_Request] = []
        try:
            request = self._waiting.get()
            while request is not None:
                if request.answer.set_running_or_notify_cancel():
                    requests.append(request)
                if len(requests) == MOST_TOGETHER:
                    return requests, True
                request = self._waiting.get_nowait()
        except Empty:
            return requests, True
        return requests, False

    def _write(self, requests: list[_Request]) -> None:
        done: list[tuple[Any, Exception | None]] = []
        try:
            self._store = self._store or self._open_store()
            with self._store.together():
                done.extend(_try(self._store, request.work) for request in requests)
        except Exception as fault:
            for request in requests:
                request.answer.set_exception(fault)
            return
        for request, (result, own_fault) in zip(requests, done, strict=True):
            if own_fault is None:
                request.answer.set_result(result)
            else:
                request.answer.set_exception(own_fault)


def _try(store: Store, work: Callable[[Store], T]) -> tuple[T | None, Exception | None]:
    """What a request comes to, or its own fault."""
    try:
        with store.together():
            return work(store), None
    except StoreUnavailable:
        raise  # a fault of all
    except Exception as fault:
        return None, fault
