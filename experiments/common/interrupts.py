"""Ctrl-C ends a command at any moment: while it is imported, in compiled loops, at its exit.

Python raises KeyboardInterrupt between two of its own instructions. That is too late inside a long
compiled call, lost inside a callback, and a traceback where nobody catches it yet or any more. A
process that was started as a command (``python -m experiments.…``) therefore

1. leaves at once while its modules are imported and once its command has ended;
2. raises in between, and leaves after `PATIENCE_SECONDS` if that did not arrive.

What leaving at once leaves undone is what a kill would: every file is whole or absent, and the
same command goes on.
"""

import atexit
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from types import FrameType

PATIENCE_SECONDS = 1.5
"""How long the exception may be on its way; short enough for a person to see an answer in 2 s."""

ONE_PRESS_SECONDS = 1.0
"""What comes within it is the same Ctrl-C."""

STATUS = 130
SHOW_CURSOR = b"\x1b[?25h\r\n"
"""A bar hides the cursor while it is drawn."""

INTERRUPTED_SENTENCE = "Interrupted."

_arrived = threading.Event()
"""Set once somebody who can end the command in good order has the exception."""

_pressed = threading.Event()
"""Set once the exception was raised, whatever became of it on its way."""

_is_command = False


def own_process() -> None:
    """Take Ctrl-C for a process that is about to import a command's modules."""
    global _is_command
    _is_command = True
    signal.signal(signal.SIGINT, _leave)
    # Last of all that is done at exit: Python would otherwise give the signal back to the system,
    # which kills a process whose work is done.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_IGN)


@contextmanager
def interruptible() -> Iterator[None]:
    """While it lasts, Ctrl-C raises KeyboardInterrupt; in another's process nothing changes."""
    if not _is_command:
        yield
        return
    _arrived.clear()
    _pressed.clear()
    sys.unraisablehook = _tell_unless_interrupted
    wake, woken = _watch()
    signal.signal(signal.SIGINT, _raise_once())
    try:
        yield
    finally:
        arrived()
        signal.signal(signal.SIGINT, _leave)
        signal.set_wakeup_fd(woken)
        os.close(wake)


def arrived() -> None:
    """The interrupt is in good hands: from here on it takes the time that it needs."""
    _arrived.set()


def was_pressed() -> bool:
    """Whether Ctrl-C came: a fault that is told afterwards may be the exception under another name.

    Compiled modules that import others do so: they tell what went wrong in words of their own.
    """
    return _pressed.is_set()


@contextmanager
def unheard_by_children() -> Iterator[None]:
    """A process that is started while it lasts never gets a Ctrl-C, not even while it starts."""
    # With the first process multiprocessing starts a tracker, after which it lets signals through.
    resource_tracker.ensure_running()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _raise_once() -> Callable[[int, FrameType | None], None]:
    """A handler: the first Ctrl-C raises, an impatient one leaves.

    Some senders give the signal to the process and to its group: that is one Ctrl-C.
    """
    raised: list[float] = []

    def handle(number: int, frame: FrameType | None) -> None:
        if not raised:
            raised.append(time.monotonic())
            _pressed.set()
            raise KeyboardInterrupt
        if time.monotonic() - raised[0] > ONE_PRESS_SECONDS:
            leave()

    return handle


def _leave(number: int, frame: FrameType | None) -> None:
    leave()


def leave() -> None:
    """End the process without another instruction of the command."""
    sentence = f"{INTERRUPTED_SENTENCE}\n".encode()
    try:
        if os.isatty(2):
            sentence = SHOW_CURSOR + sentence
        os.write(2, sentence)
    finally:
        os._exit(STATUS)


def _watch() -> tuple[int, int]:
    """Start to watch for Ctrl-C; the system itself wakes the watch, even in a compiled call."""
    heard, wake = os.pipe()
    os.set_blocking(wake, False)
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    threading.Thread(target=_wait, args=(heard,), daemon=True, name="interrupts").start()
    return wake, before


def _wait(heard: int) -> None:
    while signals := os.read(heard, 1):
        if signals[0] == signal.SIGINT and not _arrived.wait(PATIENCE_SECONDS):
            leave()
    os.close(heard)


def _tell_unless_interrupted(fault: "sys.UnraisableHookArgs") -> None:
    """An interrupt that a callback cannot pass on is no news: the watch ends the process."""
    if not issubclass(fault.exc_type, KeyboardInterrupt):
        sys.__unraisablehook__(fault)
