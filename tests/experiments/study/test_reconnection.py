"""A database that restarts is waited for, and no longer than it may take."""

import sqlite3

import pytest
from optuna.exceptions import StorageInternalError
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from experiments.common.errors import Outage
from experiments.study.reconnection import Teller, is_connection_lost, patiently, wait_for_restarts


class Restarting:
    """An engine whose database is away for a number of tries."""

    def __init__(self, monkeypatch, tmp_path, patience):
        self.away = 0
        self.lines = []
        self.engine = create_engine(f"sqlite:///{tmp_path / 'db'}", poolclass=NullPool)
        real = self.engine.dialect.connect

        def connect(*arguments, **named):
            if self.away:
                self.away -= 1
                raise sqlite3.OperationalError("the system is starting up")
            return real(*arguments, **named)

        monkeypatch.setattr(self.engine.dialect, "connect", connect)
        wait_for_restarts(self.engine, patience, 0.0, Teller(self.lines.append))

    def ask(self):
        with self.engine.connect() as connection:
            return connection.execute(text("select 7")).scalar()


@pytest.mark.parametrize("away", [1, 2, 50])
def test_it_goes_on_once_the_database_answers_and_says_so_once(monkeypatch, tmp_path, away):
    database = Restarting(monkeypatch, tmp_path, 60.0)
    database.away = away
    assert database.ask() == 7
    assert database.lines == ["The database of study.storage does not answer; waiting 60 s …"]


def test_nothing_is_said_while_it_answers(monkeypatch, tmp_path):
    database = Restarting(monkeypatch, tmp_path, 60.0)
    assert database.ask() == 7
    assert database.lines == []


def test_the_wait_is_bounded(monkeypatch, tmp_path):
    database = Restarting(monkeypatch, tmp_path, 0.0)
    database.away = 10**9
    with pytest.raises(Outage, match=r"did not answer for 0 s: the system is starting up\."):
        database.ask()


class Asked:
    """A question whose first answers are lost."""

    def __init__(self, *errors):
        self.errors = list(errors)
        self.times = 0

    def __call__(self):
        self.times += 1
        if self.errors:
            raise self.errors.pop(0)
        return 7


def lost(text="server closed the connection unexpectedly"):
    return OperationalError("select 7", {}, sqlite3.OperationalError(text))


@pytest.mark.parametrize("n_lost", [1, 2, 30])
def test_a_question_whose_answer_is_lost_is_asked_again(n_lost):
    lines, asked = [], Asked(*(lost() for _ in range(n_lost)))
    assert patiently(asked, 60.0, 0.0, Teller(lines.append)) == 7
    assert asked.times == n_lost + 1
    assert lines == ["The database of study.storage does not answer; waiting 60 s …"]


def test_what_optuna_makes_of_a_lost_connection_is_known():
    error = StorageInternalError("An exception is raised during the commit.")
    error.__cause__ = lost()
    assert patiently(Asked(error), 60.0, 0.0, Teller(str)) == 7


def test_another_error_is_not_asked_again():
    asked = Asked(ProgrammingError("select", {}, sqlite3.ProgrammingError("no such column")))
    with pytest.raises(ProgrammingError):
        patiently(asked, 60.0, 0.0, Teller(str))
    assert asked.times == 1
    assert not is_connection_lost(ValueError("no"))


def test_patience_ends_in_a_sentence_without_a_password():
    asked = Asked(*(lost("no way to postgresql://bob:pw@host/db") for _ in range(9)))
    with pytest.raises(Outage) as refused:
        patiently(asked, 0.0, 0.0, Teller(str))
    assert "no way to postgresql://host/db" in str(refused.value)
    assert "pw" not in str(refused.value)


def test_one_outage_is_told_once_whoever_notices():
    lines = []
    teller = Teller(lines.append)
    for _ in range(5):
        teller.notice(60.0)
    assert len(lines) == 1
