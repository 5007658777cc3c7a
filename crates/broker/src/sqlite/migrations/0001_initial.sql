-- Times are milliseconds since the Unix epoch. Leases, requests and sizes are 64 bits kept in a signed integer.

CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One row a task. seq is the order of arrival; stage is the task's state, with queued split by whether it may be
-- claimed now. ready_since and sort_key place it in its queue and outlive a claim, so that a released task gets its
-- old place back.
CREATE TABLE tasks (
    seq              INTEGER PRIMARY KEY,
    id               BLOB    NOT NULL,
    queue            TEXT    NOT NULL,
    stage            TEXT    NOT NULL
        CHECK (stage IN ('ready', 'delayed', 'running', 'completed', 'failed', 'cancelled')),
    priority         INTEGER NOT NULL,
    attempt          INTEGER NOT NULL,
    max_attempts     INTEGER NOT NULL,
    cost_bytes       INTEGER NOT NULL,
    timeout_ms       INTEGER NOT NULL,
    created_at       INTEGER NOT NULL,
    not_before       INTEGER,
    ready_since      INTEGER NOT NULL,
    sort_key         INTEGER NOT NULL,
    started_at       INTEGER,
    finished_at      INTEGER,
    expires_at       INTEGER,
    lease            INTEGER,
    trace_parent     TEXT,
    document_version INTEGER NOT NULL,
    payload          TEXT    NOT NULL,
    success          TEXT,
    failure          TEXT
) STRICT;

CREATE UNIQUE INDEX tasks_by_id ON tasks (id);
CREATE INDEX tasks_by_stage ON tasks (queue, stage, seq);
CREATE INDEX tasks_ready ON tasks (queue, sort_key, seq, cost_bytes) WHERE stage = 'ready';
CREATE INDEX tasks_ready_since ON tasks (queue, ready_since) WHERE stage = 'ready';
CREATE INDEX tasks_delayed ON tasks (queue, not_before) WHERE stage = 'delayed';
CREATE INDEX tasks_expiring ON tasks (expires_at) WHERE expires_at IS NOT NULL;

-- The leases in force: as many as there are tasks under way, so that a reaper may read them all.
CREATE TABLE leases (
    lease      INTEGER PRIMARY KEY,
    seq        INTEGER NOT NULL,
    queue      TEXT    NOT NULL,
    worker     TEXT    NOT NULL,
    request    INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE INDEX leases_by_request ON leases (request);

-- Leases whose holder was told that its last call was accepted; kept as long as the record, so that the call may be
-- repeated.
CREATE TABLE ended_leases (
    lease INTEGER PRIMARY KEY,
    seq   INTEGER NOT NULL,
    ended TEXT    NOT NULL CHECK (ended IN ('completed', 'failed', 'released'))
) STRICT;

CREATE INDEX ended_leases_by_task ON ended_leases (seq);

-- Leases taken from a worker that it has not been told of yet.
CREATE TABLE revocations (
    seq    INTEGER PRIMARY KEY,
    worker TEXT    NOT NULL,
    lease  INTEGER NOT NULL,
    at     INTEGER NOT NULL
) STRICT;

CREATE INDEX revocations_by_worker ON revocations (worker);

-- When somebody last claimed, renewed or reaped, and until when nobody loses a lease to time alone. One row.
CREATE TABLE presence (
    last_alive  INTEGER NOT NULL,
    grace_until INTEGER NOT NULL
) STRICT;

CREATE TABLE idempotency (
    key         TEXT PRIMARY KEY,
    fingerprint BLOB    NOT NULL,
    task        BLOB    NOT NULL,
    expires_at  INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_expiring ON idempotency (expires_at);

-- The log. The newest row is never trimmed, so that seq never goes back.
CREATE TABLE events (
    seq     INTEGER PRIMARY KEY,
    at      INTEGER NOT NULL,
    task    BLOB    NOT NULL,
    queue   TEXT    NOT NULL,
    attempt INTEGER NOT NULL,
    kind    TEXT    NOT NULL,
    code    TEXT
) STRICT;

CREATE INDEX events_by_task ON events (task);

-- Records that are gone and whose blobs are not.
CREATE TABLE deletions (
    seq  INTEGER PRIMARY KEY,
    task BLOB NOT NULL
) STRICT;

CREATE UNIQUE INDEX deletions_by_task ON deletions (task);

-- How many tasks stand in each stage, kept in step with the table so that nobody has to count.
CREATE TABLE counts (
    queue  TEXT    NOT NULL,
    stage  TEXT    NOT NULL,
    amount INTEGER NOT NULL,
    PRIMARY KEY (queue, stage)
) STRICT, WITHOUT ROWID;

CREATE TABLE registry (
    namespace  TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    value      BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    expires_at INTEGER,
    PRIMARY KEY (namespace, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX registry_expiring ON registry (expires_at) WHERE expires_at IS NOT NULL;

-- One row, written again and again to find out whether there is room.
CREATE TABLE probe (
    filler BLOB NOT NULL
) STRICT;

INSERT INTO meta (name, value) VALUES
    ('registry_version', 0),
    ('pending_deletions', 0),
    ('ageing_ms', 0),
    ('log_epoch', abs(random() % 4294967296));
