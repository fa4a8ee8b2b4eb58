-- Only old calls can be deleted: a DELETE passes only for the record of a call, and only while the
-- row here names a later time. The deleting transaction sets and resets that value, so that no
-- other one sees it. A value that is not reset cannot be committed, because it refers to a row of a
-- table that can have none.
CREATE TABLE no_moments (at BIGINT NOT NULL PRIMARY KEY CHECK (at IS NULL));
CREATE TABLE retention (
    id     INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    before BIGINT REFERENCES no_moments (at) DEFERRABLE INITIALLY DEFERRED
);
INSERT INTO retention (id) VALUES (1);

DROP TRIGGER activity_no_delete;
CREATE TRIGGER activity_no_delete BEFORE DELETE ON activity
WHEN NOT EXISTS (
    SELECT 1 FROM retention WHERE OLD.kind IN ('api.request', 'api.refused') AND OLD.at < before
)
BEGIN SELECT RAISE(ABORT, 'activity is append-only'); END;

-- Each list of tokens is one range of an index, whatever the length of the other.
CREATE INDEX tokens_active ON tokens (team_id, id) WHERE revoked_at IS NULL;
CREATE INDEX tokens_revoked ON tokens (team_id, id) WHERE revoked_at IS NOT NULL;
