"""A study on a real PostgreSQL server, as several machines would share it.

`TEST_POSTGRES_URL` names a server that runs already; otherwise one is started where PostgreSQL
is installed.
"""

import json
import math
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from experiments.common.errors import InputError
from experiments.config.command import run_command
from experiments.config.study import StudyConfig
from experiments.export import export
from experiments.judging.openings import Opening, look_at, open_seal
from experiments.simulate import simulate
from experiments.study import reconnection, shared_ledger, storage
from experiments.study.reconnection import patiently, wait_for_restarts
from experiments.study.records import best_feasible
from experiments.study.shared_ledger import SharedLedger
from experiments.study.study import Study
from experiments.study_folder.plain_data import to_plain
from experiments.sweep import sweep
from experiments.workflow.earlier_studies import LOOKED_AT, Span, fixed_at_start
from tests.experiments.fake_replay import FakeReplay, Killed, make_config, open_study, run_study
from tests.experiments.finished_folder import make_log
from tests.postgres_server import Server, started

ROOT = Path(__file__).parents[3]
LOG = make_log(100)


@pytest.fixture(scope="module")
def own_server() -> Iterator[Server]:
    """A running server of our own."""
    with started() as server:
        yield server


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> str:
    """URL of a running server."""
    url = os.environ.get("TEST_POSTGRES_URL")
    return url or request.getfixturevalue("own_server").url


@pytest.fixture
def config(server, tmp_path):
    made = make_config(tmp_path, n_trials=8)
    name = f"study-{uuid.uuid4().hex[:8]}"
    return replace(made, study=StudyConfig(name=name, n_trials=8, seed=3, storage=server))


def test_a_study_runs_and_goes_on(config, tmp_path):
    records = run_study(config)
    assert [record.ordinal for record in records] == list(range(8))
    longer = run_study(replace(config, study=replace(config.study, n_trials=10)))
    assert [record.values for record in longer[:8]] == [record.values for record in records]
    assert len(longer) == 10
    assert not list(tmp_path.rglob("*.journal"))


def test_a_changed_definition_is_refused(config):
    open_study(config, {"replay.seed": 0}).close()
    with pytest.raises(InputError, match=r"replay\.seed was 0, is 1"):
        open_study(config, {"replay.seed": 1})


def test_a_study_starts_from_another_of_the_same_database_and_keeps_what_it_read(config, tmp_path):
    kept = {LOOKED_AT: [to_plain(Span.of(LOG, config.replay))]}
    best = best_feasible(run_study(config, fixed=lambda: kept))
    name = f"{config.study.name}-on"
    later = replace(
        config, study=replace(config.study, name=name, start_from=[config.study.name], n_trials=2)
    )
    fixed = partial(fixed_at_start, later, LOG, FakeReplay())
    first = run_study(later, fixed=fixed)[0]
    assert (first.origin, first.settings) == (f"best of {config.study.name}", best.settings)
    longer = replace(later, study=replace(later.study, n_trials=3))
    assert len(run_study(longer, fixed=lambda: pytest.fail("it was fixed before"))) == 3


def test_a_study_that_is_not_in_the_database_is_asked_back_and_nothing_is_made(config):
    run_study(config)
    known = config.study.name
    typo = replace(config, study=replace(config.study, name="new", start_from=[f"{known}x"]))
    with pytest.raises(InputError, match=rf"{known}x has not been .*; did you mean {known}\?"):
        open_study(typo, fixed=partial(fixed_at_start, typo, LOG, FakeReplay()))
    nothing = replace(typo, study=replace(typo.study, start_from=["new"], name="newer"))
    with pytest.raises(InputError, match=r"study new has not been swept in study\.storage"):
        fixed_at_start(nothing, LOG, FakeReplay())


@pytest.mark.slow
def test_a_trial_whose_heartbeat_stopped_is_run_again(config, monkeypatch):
    def killed(number, settings):
        if number == 4:
            raise Killed

    monkeypatch.setattr(storage, "HEARTBEAT_SECONDS", 1)
    monkeypatch.setattr(storage, "GRACE_SECONDS", 1)
    run_study(config, FakeReplay(killed))
    time.sleep(2.5)
    records = run_study(config)
    (lost,) = [record for record in records if record.lost]
    again = [record for record in records if record.ordinal == lost.ordinal]
    assert [record.settings for record in again] == [lost.settings] * 2
    assert len([record for record in records if not record.lost]) == 8


KILLED = """
import os, signal
from experiments.study.reconnection import PatientStorage

PatientStorage.record_heartbeat = lambda *beat: os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.slow
def test_a_trial_whose_process_died_before_its_first_heartbeat_is_run_again(config, tmp_path):
    ended = subprocess.run(
        [sys.executable, "-c", KILLED + SCRIPT, str(tmp_path), repr(vars(config.study))],
        cwd=ROOT,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    records = run_study(config)
    (lost,) = [record for record in records if record.lost]
    again = [record for record in records if record.ordinal == lost.ordinal]
    assert [record.settings for record in again] == [lost.settings] * 2
    assert [record.state for record in records if not record.lost] == ["complete"] * 8


def test_a_claimed_trial_has_a_heartbeat_before_another_may_claim(config):
    first, second = open_study(config), open_study(config)
    claims = [first.claim(), second.claim()]
    first.fail_lost()
    assert [claim.number for claim in claims] == [0, 1]
    assert [record.state for record in first.records()] == ["running"] * 2
    first.close()
    second.close()


def test_a_trial_that_lives_is_left_alone(config):
    first, second = open_study(config), open_study(config)
    claim = first.claim()
    with first.heartbeat(claim):
        second.fail_lost()
        assert [record.state for record in second.records()] == ["running"]
    first.close()
    second.close()


SCRIPT = """
import sys, time
from dataclasses import replace
from functools import partial
from pathlib import Path
from experiments.config.study import StudyConfig
from tests.experiments.fake_replay import FakeReplay, make_config, run_study

config = make_config(Path(sys.argv[1]))
config = replace(config, study=StudyConfig(**eval(sys.argv[2])))
run_study(config, FakeReplay(lambda number, settings: time.sleep(0.01)))
"""


@pytest.fixture
def empty_database(server):
    """URL of a database in which nothing was made yet."""
    name = f"db{uuid.uuid4().hex[:8]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


@pytest.mark.slow
def test_four_processes_finish_100_trials_none_lost_or_doubled(config, empty_database, tmp_path):
    study = replace(config.study, n_trials=100, storage=empty_database)
    processes = [
        subprocess.Popen([sys.executable, "-c", SCRIPT, str(tmp_path), repr(vars(study))], cwd=ROOT)
        for _ in range(4)
    ]
    assert [process.wait() for process in processes] == [0] * 4
    opened = open_study(replace(config, study=study))
    records = opened.records()
    opened.close()
    assert sorted(record.ordinal for record in records) == list(range(100))
    assert {record.state for record in records} == {"complete"}
    assert len({str(record.settings) for record in records}) == 100
    assert len({record.process for record in records}) == 4


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_restarts_again_and_again_loses_no_trial(
    own_server, tmp_path, mode, capsys, monkeypatch
):
    monkeypatch.setattr(reconnection.TELLER, "_noticed", -math.inf)
    made = make_config(tmp_path, n_trials=40)
    name = f"study-{uuid.uuid4().hex[:8]}"
    study = StudyConfig(name=name, n_trials=40, seed=3, storage=own_server.url)
    config = replace(made, study=study)
    restarts = []

    def restart() -> None:
        own_server.stop(mode)
        time.sleep(0.3 * len(restarts))
        own_server.start()

    def replayed(number, settings) -> None:
        if number in (5, 12, 13, 20, 30) and number not in restarts:
            restarts.append(number)
            thread = threading.Timer(0.02 * len(restarts), restart)
            threads.append(thread)
            thread.start()
        time.sleep(0.05)

    threads: list[threading.Timer] = []
    records = run_study(config, FakeReplay(replayed))
    for thread in threads:
        thread.join()
    assert len(restarts) == 5
    kept = [record for record in records if not record.lost]
    assert sorted(record.ordinal for record in kept) == list(range(40))
    assert {record.state for record in kept} == {"complete"}
    assert "The database of study.storage does not answer; waiting 120 s" in capsys.readouterr().err


@pytest.fixture
def impatient(monkeypatch):
    """What waits for a database waits half a second."""
    quick = {"patience": 0.5, "pause": 0.1}
    monkeypatch.setattr(storage, "wait_for_restarts", partial(wait_for_restarts, **quick))
    for module in (reconnection, shared_ledger, storage):
        monkeypatch.setattr(module, "patiently", partial(patiently, **quick))


MADE = ["n_sessions=120", "n_users=24", "n_objects=60", "n_topics=4", "n_queries=20", "n_shown=6"]

MOMENTS = [(SharedLedger, "append"), (SharedLedger, "read"), (Study, "set_attribute")]


@pytest.mark.slow
def test_a_server_that_goes_away_in_an_export_is_a_sentence_and_the_export_goes_on(
    own_server, tmp_path, capsys, impatient, monkeypatch
):
    # Its user's name stands in no file.
    monkeypatch.setenv("STUDY_STORAGE", own_server.url)
    shop, out = tmp_path / "shop", f"output_dir={tmp_path / 'out'}"
    made = [f"simulated.{size}" for size in (*MADE, "dimensions=8", "max_parts=1")]
    assert run_command("simulate", simulate, [f"output={shop}", *made]) == 0
    name = f"study-{uuid.uuid4().hex[:8]}"
    swept = ["dataset=folder", f"dataset.path={shop}", "tracking=none", "guardrails=none"]
    swept += ["study.n_trials=2", f"study.name={name}", f"study.storage={own_server.url}", out]
    assert run_command("sweep", sweep, swept) == 0
    for owner, moment in MOMENTS:
        real = getattr(owner, moment)

        def away(*arguments, real=real):
            own_server.stop("immediate")
            return real(*arguments)

        capsys.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(owner, moment, away)
            status = run_command("export", export, [f"study={name}", out])
        own_server.start()
        said = [line for line in capsys.readouterr().err.splitlines() if "waiting" not in line]
        said = [line for line in said if not line.endswith("…")]
        assert (status, len(said)) == (1, 1), (moment, said)
        assert "did not answer for 0 s" in said[0]
        assert "the same command goes on" in said[0]
    assert run_command("export", export, [f"study={name}", out]) == 0
    kept = json.loads((tmp_path / "out" / "sealed_tests.json").read_text())
    (openings,) = kept.values()
    assert len({opening["setting"] for opening in openings if opening["sees"] == "scores"}) == 1


def test_a_ledger_whose_database_restarts_is_waited_for(own_server, tmp_path):
    made = replace(make_config(tmp_path), study=StudyConfig(name="s", storage=own_server.url))
    study = open_study(made)
    fingerprint, tries = uuid.uuid4().hex, []

    def action():
        tries.append(1)
        if len(tries) == 1:
            own_server.stop("fast")
            own_server.start()
        study.ledger().append(fingerprint, {"try": len(tries)})
        return len(tries)

    assert study.ledger().locked(action) == 2
    assert {"try": 2} in study.ledger().read(fingerprint)
    study.close()


def test_a_server_that_is_not_there_is_one_sentence(tmp_path):
    config = make_config(tmp_path)
    url = "postgresql+psycopg://nobody@127.0.0.1:1/none"
    with pytest.raises(InputError, match=r"study\.storage cannot be reached"):
        open_study(replace(config, study=replace(config.study, storage=url)))


def test_another_kind_of_storage_is_refused(tmp_path):
    config = make_config(tmp_path)
    with pytest.raises(InputError, match="must be null"):
        open_study(replace(config, study=replace(config.study, storage="sqlite:///x.db")))


def test_sealed_tests_are_recorded_in_the_shared_database(config):
    study, other = open_study(config), open_study(config)
    first = Opening("one", 1, "last 30 %", "NDCG@10", "a", "scores", 100)
    second = replace(first, study="two", setting="b", opened_at=200)
    fingerprint = uuid.uuid4().hex
    assert open_seal([study.ledger()], fingerprint, first, reopen=False).number == 1
    with pytest.raises(InputError, match="opened on trial 1 of study one"):
        open_seal([other.ledger()], fingerprint, second, reopen=False)
    assert open_seal([other.ledger()], fingerprint, second, reopen=True).number == 2
    assert look_at([study.ledger()], fingerprint, "b").openings == (first, second)
    assert "password" not in study.ledger().name
    study.close()
    other.close()
