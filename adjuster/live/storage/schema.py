"""The tables of a live system, for SQLite and PostgreSQL alike.

`shown` holds the objects of a session's impressions once more, in one value (see `shown_bytes`): a
worker reads thousands of sessions at a time, and a row a result costs it most of its reading. It
is not a column of `sessions`, whose rows are written anew whenever their status changes.
"""

VERSION = "4"
"""Written into the state; a store of another version is refused."""

TABLES = """
CREATE TABLE IF NOT EXISTS state (name {text} PRIMARY KEY, value {text} NOT NULL);
CREATE TABLE IF NOT EXISTS queries (
  query_id {text} PRIMARY KEY, query_text {text} NOT NULL,
  parts INTEGER NOT NULL, dtype {text} NOT NULL, vectors {bytes} NOT NULL);
CREATE TABLE IF NOT EXISTS sessions (
  session_id {text} PRIMARY KEY, created_at {int} NOT NULL, query_id {text} NOT NULL,
  owner {text}, user_id {text}, is_irrelevant INTEGER NOT NULL DEFAULT 0,
  status {text} NOT NULL DEFAULT 'open', reason {text} NOT NULL DEFAULT '',
  marked_at {int}, attempts INTEGER NOT NULL DEFAULT 0, lease {text}, lease_until {float},
  batch {int});
CREATE INDEX IF NOT EXISTS sessions_pending ON sessions (marked_at, created_at, session_id)
  WHERE status = 'pending';
CREATE INDEX IF NOT EXISTS sessions_done ON sessions (marked_at, created_at, session_id)
  WHERE status = 'done';
CREATE INDEX IF NOT EXISTS sessions_leased ON sessions (lease) WHERE status = 'processing';
CREATE TABLE IF NOT EXISTS impressions (
  session_id {text} NOT NULL, position INTEGER NOT NULL, object_id {text} NOT NULL,
  propensity {float}, team {text},
  PRIMARY KEY (session_id, position), UNIQUE (session_id, object_id));
CREATE TABLE IF NOT EXISTS shown (session_id {text} PRIMARY KEY, object_ids {bytes} NOT NULL);
CREATE TABLE IF NOT EXISTS events (
  session_id {text} NOT NULL, event_id {text} NOT NULL, object_id {text} NOT NULL,
  event_type {text} NOT NULL, created_at {int} NOT NULL, PRIMARY KEY (session_id, event_id));
CREATE TABLE IF NOT EXISTS copies (
  generation INTEGER NOT NULL, owner {text} NOT NULL, object_id {text} NOT NULL,
  parts INTEGER NOT NULL, dtype {text} NOT NULL, vectors {bytes} NOT NULL,
  PRIMARY KEY (generation, owner, object_id));
CREATE TABLE IF NOT EXISTS terms (
  generation INTEGER NOT NULL, owner {text} NOT NULL, object_id {text} NOT NULL,
  query_id {text} NOT NULL, clicked {float} NOT NULL, unclicked {float} NOT NULL,
  PRIMARY KEY (generation, owner, object_id, query_id));
CREATE TABLE IF NOT EXISTS interleaved (
  session_id {text} PRIMARY KEY, created_at {int} NOT NULL, cluster {text} NOT NULL,
  is_counted INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS interleaved_waiting ON interleaved (created_at, session_id)
  WHERE is_counted = 0;
CREATE TABLE IF NOT EXISTS cluster_totals (
  since {int} NOT NULL, cluster {text} NOT NULL, sessions {int} NOT NULL, outcome {float} NOT NULL,
  PRIMARY KEY (since, cluster));
CREATE TABLE IF NOT EXISTS health (
  minute {int} NOT NULL, name {text} NOT NULL, value {float} NOT NULL,
  PRIMARY KEY (minute, name));
CREATE TABLE IF NOT EXISTS ticks (
  tick {int} NOT NULL, reason {text} NOT NULL, sessions INTEGER NOT NULL,
  PRIMARY KEY (tick, reason))
"""


def statements(types: dict[str, str]) -> list[str]:
    """The statements that make what is not there yet.

    Args:
        types: What ``text``, ``int`` (64 bits), ``float`` (64 bits) and ``bytes`` are called.
    """
    return [statement.strip() for statement in TABLES.format(**types).split(";")]
