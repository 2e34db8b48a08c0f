"""A database that restarts is waited for, and no longer than it may take."""

import sqlite3

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from experiments.study.reconnection import wait_for_restarts


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
        wait_for_restarts(self.engine, patience, 0.0, self.lines.append)

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
    with pytest.raises(OperationalError, match="starting up"):
        database.ask()
