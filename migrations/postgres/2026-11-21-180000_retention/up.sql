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

CREATE FUNCTION activity_only_old_calls_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.kind IN ('api.request', 'api.refused') AND OLD.at < (SELECT before FROM retention) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'activity is append-only';
END $$;
DROP TRIGGER activity_no_change ON activity;
CREATE TRIGGER activity_no_update BEFORE UPDATE ON activity
    FOR EACH ROW EXECUTE FUNCTION activity_append_only();
CREATE TRIGGER activity_no_delete BEFORE DELETE ON activity
    FOR EACH ROW EXECUTE FUNCTION activity_only_old_calls_go();

-- Each list of tokens is one range of an index, whatever the length of the other.
CREATE INDEX tokens_active ON tokens (team_id, id) WHERE revoked_at IS NULL;
CREATE INDEX tokens_revoked ON tokens (team_id, id) WHERE revoked_at IS NOT NULL;
