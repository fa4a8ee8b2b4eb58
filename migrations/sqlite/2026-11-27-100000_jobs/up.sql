-- Background jobs. A row is waiting, leased by a worker, or dead, and is deleted when the job is
-- done. leased_until uses the database's clock, so that servers need not agree on theirs; all other
-- times are the program's.
CREATE TABLE jobs (
    id           BLOB    NOT NULL PRIMARY KEY,
    kind         TEXT    NOT NULL,
    queue        TEXT    NOT NULL,
    team_id      BLOB    REFERENCES teams (id), -- the team whose owner sees it
    dedupe_key   TEXT, -- unique among the live jobs of a kind
    payload      TEXT    NOT NULL CHECK (length(payload) <= 65536), -- JSON
    created_at   BIGINT  NOT NULL,
    due_at       BIGINT  NOT NULL, -- the time of the next attempt; while leased, of the one after it
    attempts     INTEGER NOT NULL,
    rerun        BOOLEAN NOT NULL, -- enqueued again while it was running
    worker       BLOB,
    leased_until BIGINT,
    error        TEXT, -- the error of the last attempt
    failed_at    BIGINT,
    died_at      BIGINT,
    CHECK ((worker IS NULL) = (leased_until IS NULL)),
    CHECK (died_at IS NULL OR leased_until IS NULL)
);
CREATE INDEX jobs_due ON jobs (queue, due_at, id) WHERE leased_until IS NULL AND died_at IS NULL;
CREATE INDEX jobs_leased ON jobs (leased_until) WHERE leased_until IS NOT NULL;
CREATE INDEX jobs_failed ON jobs (queue, id) WHERE error IS NOT NULL AND leased_until IS NULL AND died_at IS NULL;
CREATE INDEX jobs_dead ON jobs (died_at) WHERE died_at IS NOT NULL;
CREATE INDEX jobs_by_team ON jobs (team_id, id);
CREATE UNIQUE INDEX jobs_dedupe ON jobs (kind, dedupe_key) WHERE died_at IS NULL;
