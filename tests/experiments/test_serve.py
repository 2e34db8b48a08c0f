"""`python -m experiments.serve`: what it refuses, one tick, and how processes end."""

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from adjuster.index import SearchIndexInfo
from adjuster.live.storage.records import Event, Impression, Query, Session, Status
from adjuster.live.storage.sqlite_store import SqliteStore
from experiments.commands.serve import access_of
from experiments.common.errors import InputError
from experiments.config.serve import LiveConfig
from experiments.data.format.folder import load_click_log, write_click_log
from experiments.data.format.metadata import Metadata
from experiments.serve import main
from tests.experiments.data.conftest import make_tables

ROOT = Path(__file__).parents[2]
TOKEN = "a secret of many characters"


@pytest.fixture
def folder(tmp_path):
    metadata = Metadata("tiny", SearchIndexInfo(2), source="by hand")
    write_click_log(tmp_path / "tiny", metadata, make_tables())
    return tmp_path / "tiny"


@pytest.fixture
def arguments(folder, tmp_path):
    return [
        "dataset=folder",
        f"dataset.path={folder}",
        f"output_dir={tmp_path}/out",
        "adjuster=default",
        "personalize_by=user_id",
    ]


@pytest.fixture
def run(monkeypatch, arguments):
    def ran(*words):
        monkeypatch.setattr("sys.argv", ["serve", *words, *arguments])
        return main()

    return ran


def fill(folder, path):
    """A search of the data set's objects, clicked and marked."""
    log = load_click_log(folder)
    shown = tuple(Impression(str(name)) for name in log.object_ids)
    query = Query("new", log.object_vectors[:1])
    path.parent.mkdir(parents=True, exist_ok=True)
    store = SqliteStore(path)
    store.register([Session("s", 0, query, shown, "ann", "ann")])
    store.add_events([Event("e", "s", shown[0].object_id, 1)])
    store.mark(["s"], 2)
    store.close()


def test_one_tick_says_what_it_did(run, folder, tmp_path, capsys):
    path = tmp_path / "out" / "live" / "live.db"
    fill(folder, path)
    assert run("worker", "--once") == 0
    said = capsys.readouterr().out
    assert "selected" in said
    assert said.split()[-1] == "1"
    store = SqliteStore(path)
    assert store.counts() == {Status.DONE: 1}
    assert store.owner_copies(0, "ann")
    store.close()
    assert run("worker", "--once") == 0
    assert capsys.readouterr().out == "Nothing was pending.\n"
    assert run("rollback") == 2
    assert "Generation 0 is the only one" in capsys.readouterr().err
    # Other settings are a new generation, which learns all that is stored.
    assert run("worker", "--once", "adjuster.num_iterations=3") == 0
    assert run("rollback") == 0
    assert "Generation 0 is shown again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("all", "serve.host=0.0.0.0"), "set the environment variable LIVE_TOKEN"),
        (("api", "--once"), "once must be false unless a worker is asked for"),
        (("nothing",), "nothing"),
        (("worker", "serve.store_env=NOT_SET"), "NOT_SET, which is not set"),
        (("worker", "serve.lease_seconds=0"), "serve.lease_seconds must be >= 1 second"),
        (("api", "serve.port=70000"), "serve.port must be in [0, 65535]"),
        (("api", "serve.index=ann"), "serve.index must be one of exact, pgvector, got ann"),
    ],
)
def test_what_it_refuses_is_one_sentence(run, tmp_path, capsys, monkeypatch, words, told):
    monkeypatch.delenv("LIVE_TOKEN", raising=False)
    assert run(*words) == 2
    said = capsys.readouterr()
    assert told in said.err
    assert "Traceback" not in said.err
    assert said.out == ""
    assert not (tmp_path / "out" / "live" / "live.db").exists()


def test_a_file_that_is_no_store_is_refused(run, tmp_path, capsys):
    path = tmp_path / "notes.txt"
    path.write_text("not a database, whatever its name says; long enough to be read as one")
    assert run("worker", "--once", f"serve.store={path}") == 2
    assert "is no SQLite database" in capsys.readouterr().err


def test_an_index_that_the_store_cannot_hold_is_refused_before_anything_else_is_done(run, capsys):
    assert run("api", "serve.index=pgvector") == 2
    said = capsys.readouterr()
    assert "serve.index must be exact where the store is a SQLite file, got pgvector" in said.err
    assert (said.out, len(said.err.strip().splitlines())) == ("", 1)


def test_who_may_ask(monkeypatch):
    monkeypatch.delenv("LIVE_TOKEN", raising=False)
    near = access_of(LiveConfig())
    assert near.token is None
    assert "127.0.0.1" in near.hosts
    with pytest.raises(InputError, match=r"0\.0\.0\.0 can be reached from other machines"):
        access_of(LiveConfig(host="0.0.0.0"))
    monkeypatch.setenv("LIVE_TOKEN", "short")
    with pytest.raises(InputError, match="at least 16 characters, got 5"):
        access_of(LiveConfig())
    monkeypatch.setenv("LIVE_TOKEN", TOKEN)
    far = access_of(LiveConfig(host="0.0.0.0"))
    assert (far.token, far.hosts) == (TOKEN, None)


class Process:
    """The command in a process of its own."""

    def __init__(self, *words):
        command = [sys.executable, "-m", "experiments.serve", *words]
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def until(self, words):
        """The first line that holds these words."""
        for line in self.process.stdout:
            if words in line:
                return line
        raise AssertionError(self.process.stderr.read())

    def end(self, number):
        self.process.send_signal(number)
        _, said = self.process.communicate(timeout=60)
        return self.process.returncode, said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)], ids=["SIGTERM", "Ctrl-C"]
)
@pytest.mark.parametrize("role", ["api", "worker", "all"])
def test_a_process_ends_in_good_order(arguments, role, number, status):
    process = Process(role, "serve.port=0", "adjuster.interval_seconds=1", *arguments)
    line = process.until("answers at" if role == "api" else "learns every")
    if role == "api":
        address = line.split()[2].rstrip(",")
        with urllib.request.urlopen(f"{address}/healthz", timeout=30) as answer:
            assert answer.status == 200
    time.sleep(0.2)
    found, said = process.end(number)
    assert (found, "Traceback" in said) == (status, False), said
    assert ("Interrupted." in said) is (status == 130)


@pytest.mark.slow
def test_an_address_that_is_taken_is_one_sentence(arguments):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = Process("api", f"serve.port={port}", *arguments)
        _, said = process.process.communicate(timeout=120)
    assert process.process.returncode == 2
    assert f"got 127.0.0.1 and {port}" in said
    assert len(said.strip().splitlines()) <= 2


@pytest.mark.slow
def test_a_demo_ends_with_a_table(arguments):
    process = Process("demo", "demo_seconds=8", *arguments)
    said, faults = process.process.communicate(timeout=300)
    assert process.process.returncode == 0, faults
    for words in ("searches", "clicks", "sessions learnt", "mode", "interleave"):
        assert words in said
