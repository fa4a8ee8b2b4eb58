-- The access epoch counts changes that can turn a "yes" of the gate into a "no", or change its
-- meaning. Triggers count, so that no statement can forget it, not even one typed by hand.
ALTER TABLE instance ADD COLUMN access_epoch BIGINT NOT NULL DEFAULT 0;

CREATE FUNCTION advance_access_epoch() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE instance SET access_epoch = access_epoch + 1; RETURN NULL; END $$;
CREATE TRIGGER tokens_epoch AFTER UPDATE OF hash, name, expires_at, scopes, hourly_cap, allow_list, revoked_at ON tokens
    FOR EACH ROW EXECUTE FUNCTION advance_access_epoch();
CREATE TRIGGER tokens_gone_epoch AFTER DELETE ON tokens
    FOR EACH ROW EXECUTE FUNCTION advance_access_epoch();
CREATE TRIGGER teams_epoch AFTER UPDATE OF name, plan, api_enabled ON teams
    FOR EACH ROW EXECUTE FUNCTION advance_access_epoch();

-- Processes that cache verified tokens, and how long they may use them without asking.
CREATE TABLE leases (
    id         BYTEA  NOT NULL PRIMARY KEY,
    seen_epoch BIGINT NOT NULL,
    until      BIGINT NOT NULL
);

-- Refused calls have a kind of their own, because they do not count against a limit.
DROP INDEX activity_changes;
CREATE INDEX activity_changes ON activity (team_id, id) WHERE kind NOT IN ('api.request', 'api.refused');
