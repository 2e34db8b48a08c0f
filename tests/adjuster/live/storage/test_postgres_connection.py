"""A PostgreSQL user without the right to make tables is told what to have done."""

import uuid

import psycopg
import pytest

from adjuster.live.storage.postgres_store import PostgresStore


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
