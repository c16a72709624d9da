"""The tables, and how a connection to them is opened."""

import sqlite3
from pathlib import Path

VERSION = 3  # raise it when the tables change: an older file is thrown away and folded anew

TABLES = """
CREATE TABLE jobs (
    job_id TEXT PRIMARY KEY,
    partition INTEGER,              -- of jobs-v1
    position INTEGER,               -- offset of the record that won
    created_at REAL,                -- seconds since 1970
    updated_ms INTEGER NOT NULL DEFAULT 0,
    accepted TEXT, planned TEXT, rejected TEXT, verdict TEXT, explained TEXT,
    wants_explanation INTEGER NOT NULL DEFAULT 1,
    verdict_outcome TEXT,
    deadline REAL,
    cancelled INTEGER NOT NULL DEFAULT 0,
    deleted_at REAL,
    deleted_position INTEGER,
    swept INTEGER NOT NULL DEFAULT 0,
    unexplained INTEGER NOT NULL DEFAULT 0,  -- the explanation is no longer waited for
    status TEXT NOT NULL GENERATED ALWAYS AS (
        CASE WHEN cancelled OR deleted_at IS NOT NULL THEN 'cancelled'
             WHEN verdict_outcome = 'failed' THEN 'failed'
             WHEN verdict IS NOT NULL AND (explained IS NOT NULL OR NOT wants_explanation OR unexplained)
                 THEN 'completed'
             WHEN verdict IS NOT NULL THEN 'running'
             WHEN rejected IS NOT NULL THEN 'failed'
             WHEN planned IS NOT NULL THEN 'running'
             ELSE 'pending' END) STORED
);
CREATE INDEX newest ON jobs (created_at DESC, job_id DESC);
CREATE INDEX by_status ON jobs (status, created_at);
CREATE INDEX deleted ON jobs (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE TABLE windows (
    job_id TEXT NOT NULL, window INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (job_id, window)
) WITHOUT ROWID;
CREATE TABLE positions (
    topic TEXT NOT NULL, partition INTEGER NOT NULL, next INTEGER NOT NULL, PRIMARY KEY (topic, partition)
) WITHOUT ROWID;
-- Uploads whose record was not seen yet, noted before they are stored: known only to this replica.
CREATE TABLE doubts (uri TEXT PRIMARY KEY, job_id TEXT NOT NULL, since REAL NOT NULL) WITHOUT ROWID;
"""


def connect(path: Path) -> sqlite3.Connection:
    """A connection that any thread may use, one at a time; transactions are explicit."""
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
    connection.row_factory = sqlite3.Row
    connection.execute("PRAGMA journal_mode = WAL")
    # A crash of the machine may lose the last transactions, offsets included: they are folded again.
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def open_database(path: Path) -> sqlite3.Connection:
    """The database at `path`, made anew where it is absent or of another version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = connect(path)
    if connection.execute("PRAGMA user_version").fetchone()[0] != VERSION:
        connection.close()
        discard(path)
        connection = connect(path)
        connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
    return connection


def discard(path: Path) -> None:
    """Forget everything; the topics still know it."""
    for suffix in ("", "-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
