"""The MLflow UI over an output folder: served, its pages told, ended with Ctrl-C."""

import signal
import sys
from pathlib import Path

from experiments.common.console import say
from experiments.common.steps import step
from experiments.config.command import OK
from experiments.config.commands import UiConfig
from experiments.tracking.ui_server import UiServer


def ui(command: UiConfig) -> int:
    """Serve until the server ends or Ctrl-C ends both; the exit status."""
    # Whoever ends this process ends the server's, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(OK))
    with UiServer(Path(command.output_dir), command.port) as server:
        with step("Starting the MLflow UI", quiet=True):
            server.await_answer()
        pages = server.pages()
        width = max(map(len, pages), default=0)
        say("\n".join(f"{name.ljust(width)}  {page}" for name, page in pages.items()))
        say("Ctrl-C ends it.")
        server.wait()
    return OK
