"""A PostgreSQL connection: what its user may do, and what becomes of it when it breaks."""

import uuid
from contextlib import nullcontext

import psycopg
import pytest

from adjuster.live.storage.postgres_store import PostgresStore
from adjuster.live.storage.store import StoreUnavailable


@pytest.fixture
def stranger(postgres_url):
    """A user with no right of its own, and its URL."""
    name = f"u{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {name} LOGIN")
        yield name, postgres_url.replace("//postgres@", f"//{name}@")
        connection.execute(f"DROP OWNED BY {name}")
        connection.execute(f"DROP ROLE {name}")


@pytest.mark.parametrize("is_there", [False, True])
def test_a_user_who_may_not_make_tables_is_told_so(stranger, postgres_url, is_there):
    schema = f"s{uuid.uuid4().hex}"
    if is_there:
        PostgresStore(postgres_url, schema).close()
    with pytest.raises(ValueError, match=f"may not make tables in the schema {schema}"):
        PostgresStore(stranger[1], schema)


def test_a_user_whose_schema_it_is_needs_no_other_right(stranger, postgres_url):
    name, url = stranger
    schema = f"s{uuid.uuid4().hex}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {name}")
    for _ in range(2):
        store = PostgresStore(url, schema)
        assert store.counts() == {}
        store.close()


@pytest.mark.parametrize("live_place", ["postgres"], indirect=True)
def test_a_broken_connection_is_made_anew(live_store, live_place):
    live_store.set_state("mode", "off")
    other = live_place.open()
    (backend,) = live_store.connection.execute("SELECT pg_backend_pid()").fetchone()
    other.connection.execute("SELECT pg_terminate_backend(%s)", [backend])
    other.close()
    with pytest.raises(StoreUnavailable):
        live_store.set_state("mode", "on")
    assert live_store.state("mode") == "off"


@pytest.mark.parametrize("live_place", ["postgres"], indirect=True)
def test_a_connection_left_amid_a_pipeline_is_made_anew(live_store):
    """As one is that was cut off there: the server is asked nothing over it any more."""
    live_store.set_state("mode", "off")
    libpq = live_store.connection.pgconn
    libpq.enter_pipeline_mode()
    libpq.send_query_params(b"SELECT 1", None)
    with pytest.raises(psycopg.OperationalError, match="not allowed in pipeline mode"):
        live_store.connection.execute("SELECT 1")
    assert not live_store.connection.closed
    live_store.set_state("mode", "on")
    assert live_store.state("mode") == "on"


@pytest.mark.parametrize("is_inner", [False, True])
@pytest.mark.parametrize("live_place", ["postgres"], indirect=True)
def test_what_broke_a_connection_is_said_and_not_what_came_of_it(live_store, live_place, is_inner):
    other = live_place.open()

    def write():
        with live_store.together(), live_store.together() if is_inner else nullcontext():
            (backend,) = live_store.connection.execute("SELECT pg_backend_pid()").fetchone()
            other.connection.execute("SELECT pg_terminate_backend(%s, 5000)", [backend])
            live_store.set_state("mode", "on")

    with pytest.raises(StoreUnavailable, match="terminating connection due to administrator"):
        write()
    other.close()
    assert live_store.state("mode") is None
