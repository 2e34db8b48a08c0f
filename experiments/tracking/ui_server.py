"""MLflow's own server over an output folder's store, as a process beside this one."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from experiments.common.errors import InputError, Outage
from experiments.study_folder.layout import STORE
from experiments.tracking.study_info import runs_page

HOST = "127.0.0.1"
SECONDS_TO_START = 300
SECONDS_TO_END = 1.5
"""A person who pressed Ctrl-C waits no longer."""
LOG = "mlflow_ui.log"
MOST_EXPERIMENTS = 100


class UiServer:
    """The server, from entering the block until leaving it.

    Args:
        folder: The output folder of the studies.
        port: Where it listens, on this machine alone; 0 takes a free one.

    Raises:
        InputError: If there are no runs, or the port is taken.
    """

    def __init__(self, folder: Path, port: int) -> None:
        self._folder = folder.expanduser().resolve()
        if not (self._folder / STORE).is_file():
            raise InputError(
                f"output_dir must be where a sweep left its runs, got {folder}: there is no "
                f"{STORE}. Sweep first, with tracking=mlflow, or name another folder."
            )
        self.address = f"http://{HOST}:{_free(port)}"

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--host", HOST]
        command += ["--port", self.address.rpartition(":")[2]]
        command += ["--backend-store-uri", f"sqlite:///{self._folder / STORE}"]
        with (self._folder / LOG).open("wb") as log:
            # A session of its own: Ctrl-C is for this process, which ends the server's with it.
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._folder, start_new_session=True
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(SECONDS_TO_END)
        # Its workers, where it ended before them.
        self._signal(signal.SIGKILL)
        self._process.wait()

    def await_answer(self) -> None:
        """Wait until it can be opened.

        Raises:
            Outage: If it ends, or takes longer than `SECONDS_TO_START`.
        """
        deadline = time.monotonic() + SECONDS_TO_START
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.address}/health", timeout=5):
                    return
            except OSError:
                time.sleep(0.2)
        raise Outage(f"The MLflow UI did not start; what it said is in {self._folder / LOG}.")

    def pages(self) -> dict[str, str]:
        """Experiment → the address of its runs, the newest study's first."""
        asked = json.dumps({"max_results": MOST_EXPERIMENTS}).encode()
        request = urllib.request.Request(
            f"{self.address}/api/2.0/mlflow/experiments/search",
            asked,
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer).get("experiments", [])
        return {
            item["name"]: f"{self.address}/{runs_page(item['experiment_id'])}"
            for item in found
            if item["experiment_id"] != "0"
        }

    def wait(self) -> None:
        """Wait until the server ends.

        Raises:
            Outage: If it ends of itself.
        """
        status = self._process.wait()
        raise Outage(
            f"The MLflow UI ended with status {status}; what it said is in {self._folder / LOG}."
        )

    def _signal(self, which: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, which)


def _free(port: int) -> int:
    """The port itself, or a free one for 0.

    Raises:
        InputError: If something listens there.
    """
    with socket.socket() as tried:
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tried.bind((HOST, port))
        except OSError:
            raise InputError(
                f"port must be free on this machine, got {port}, which is taken. Name another, "
                "such as port=0 for any."
            ) from None
        return int(tried.getsockname()[1])
