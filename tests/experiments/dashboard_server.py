"""A real optuna-dashboard on this machine, for tests and pictures."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.experiments.mlflow_server import await_answer, free_port, stop


@contextmanager
def dashboard_server(journal: Path, log: Path) -> Iterator[str]:
    """Serve the studies of a journal until the block ends; the dashboard's address.

    Args:
        journal: The study's file.
        log: Where what the server says goes.
    """
    port = free_port()
    command = [sys.executable, "-m", "optuna_dashboard._cli", "--port", str(port), str(journal)]
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file)
    try:
        await_answer(f"http://127.0.0.1:{port}/dashboard", process, log)
        yield f"http://127.0.0.1:{port}/dashboard"
    finally:
        stop(process)
