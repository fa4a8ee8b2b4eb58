-- No query finds a deleted team, and a job removes its data. Four things remain: this row, without the
-- name; its owner's membership, which the owner's foreign key needs; its addresses on the shared domain,
-- which are never reused; and the record of the deletion.
ALTER TABLE teams ADD COLUMN deleted_at BIGINT;

DROP TRIGGER teams_epoch ON teams;
CREATE TRIGGER teams_epoch AFTER UPDATE OF name, plan, api_enabled, deleted_at ON teams
    FOR EACH ROW EXECUTE FUNCTION advance_access_epoch();

CREATE OR REPLACE FUNCTION activity_only_old_calls_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.kind IN ('api.request', 'api.refused') AND OLD.at < (SELECT before FROM retention) THEN
        RETURN OLD;
    END IF;
    IF OLD.kind <> 'team.deleted'
        AND EXISTS (SELECT 1 FROM teams WHERE id = OLD.team_id AND deleted_at IS NOT NULL) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'activity is append-only';
END $$;

-- All addresses of a team, including deleted ones.
CREATE INDEX aliases_ever ON aliases (team_id, id);
