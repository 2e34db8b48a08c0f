"""The MLflow UI over an output folder: refused where it cannot be, told where it ended."""

import socket
import sys

import pytest

from experiments.common.errors import InputError, Outage
from experiments.tracking import ui_server
from experiments.tracking.ui_server import UiServer


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mlflow.db").write_bytes(b"")
    return tmp_path


def test_a_folder_without_runs_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"output_dir must be where a sweep left its runs, got "):
        UiServer(tmp_path, 0)


def test_a_port_that_is_taken_is_refused(folder):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"port must be free on this machine, got {port}"):
            UiServer(folder, port)


def test_any_free_port_will_do(folder):
    first, second = UiServer(folder, 0).address, UiServer(folder, 0).address
    assert first != second
    assert not first.endswith(":0")


def test_a_server_that_ends_at_once_is_told_with_its_log(folder, monkeypatch):
    monkeypatch.setattr(ui_server.sys, "executable", "/bin/false")
    with UiServer(folder, 0) as server:
        with pytest.raises(Outage, match=r"did not start; what it said is in .*mlflow_ui.log"):
            server.await_answer()
        with pytest.raises(Outage, match="ended with status 1"):
            server.wait()


def test_leaving_ends_the_server_and_what_it_started(folder, monkeypatch, tmp_path):
    stubborn = tmp_path / "stubborn"
    stubborn.write_text(
        f"#!{sys.executable}\nimport signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)\n"
    )
    stubborn.chmod(0o755)
    monkeypatch.setattr(ui_server, "SECONDS_TO_END", 0.2)
    monkeypatch.setattr(ui_server.sys, "executable", str(stubborn))
    with UiServer(folder, 0) as server:
        process = server._process
        assert process.poll() is None
    assert process.poll() is not None
