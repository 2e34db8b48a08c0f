"""A command in a pseudo-terminal: what a person would see, and when nothing moved."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
N_LINES = 40


@dataclass(frozen=True)
class Seen:
    """What a command wrote to its terminal.

    Args:
        status: Its exit status.
        text: All of it, without what moves the cursor or colours.
        silences: For each stretch without output: how many seconds, and the line that stood there.
    """

    status: int
    text: str
    silences: list[tuple[float, str]]

    @property
    def lines(self) -> list[str]:
        """Every line in every state that it had."""
        return [line for line in re.split(r"[\r\n]+", self.text) if line]

    @property
    def words(self) -> str:
        """The text as words, however it was wrapped."""
        return " ".join(self.text.split())


CTRL_C = b"\x03"


def run_in_terminal(
    command: Sequence[str],
    folder: Path,
    *,
    columns: int,
    until: str | None = None,
    meanwhile: Callable[[str], object] = lambda _: None,
) -> Seen:
    """Run a command in a terminal of so many columns, to its end.

    Args:
        command: The command.
        folder: Where it runs.
        columns: Of the terminal.
        until: Once it has written this, Ctrl-C is pressed.
        meanwhile: Called with all that it wrote, before that.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", N_LINES, columns, 0, 0))
    here = Path(__file__).parents[2]
    environment = {**os.environ, "TERM": "xterm", "PYTHONPATH": str(here)}
    environment = {name: v for name, v in environment.items() if name not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        command,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        cwd=folder,
        env=environment,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(theirs)
    text, silences = "", []
    while True:
        begun = time.monotonic()
        try:
            more = os.read(ours, 65536).decode(errors="replace")
        except OSError:  # Linux tells the end of a terminal so.
            break
        if not more:
            break
        silences.append((time.monotonic() - begun, _standing(text)))
        text += CONTROL.sub("", more)
        if until is not None and until in text:
            meanwhile(text)
            os.write(ours, CTRL_C)
            until = None
    os.close(ours)
    return Seen(process.wait(), text, silences)


def _standing(text: str) -> str:
    """The line that the cursor stands on; "" at the beginning of a new one."""
    return re.split(r"[\r\n]", text)[-1].strip()
