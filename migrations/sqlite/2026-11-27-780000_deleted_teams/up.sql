-- No query finds a deleted team, and a job removes its data. Four things remain: this row, without the
-- name; its owner's membership, which the owner's foreign key needs; its addresses on the shared domain,
-- which are never reused; and the record of the deletion.
ALTER TABLE teams ADD COLUMN deleted_at BIGINT;

DROP TRIGGER teams_epoch;
CREATE TRIGGER teams_epoch AFTER UPDATE OF name, plan, api_enabled, deleted_at ON teams
BEGIN UPDATE instance SET access_epoch = access_epoch + 1; END;

DROP TRIGGER activity_no_delete;
CREATE TRIGGER activity_no_delete BEFORE DELETE ON activity
WHEN NOT EXISTS (
    SELECT 1 FROM retention WHERE OLD.kind IN ('api.request', 'api.refused') AND OLD.at < before
) AND NOT EXISTS (
    SELECT 1 FROM teams WHERE id = OLD.team_id AND deleted_at IS NOT NULL AND OLD.kind <> 'team.deleted'
)
BEGIN SELECT RAISE(ABORT, 'activity is append-only'); END;

-- All addresses of a team, including deleted ones.
CREATE INDEX aliases_ever ON aliases (team_id, id);
