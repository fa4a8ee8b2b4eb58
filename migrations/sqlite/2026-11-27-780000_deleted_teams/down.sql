DROP INDEX aliases_ever;
DROP TRIGGER activity_no_delete;
CREATE TRIGGER activity_no_delete BEFORE DELETE ON activity
WHEN NOT EXISTS (
    SELECT 1 FROM retention WHERE OLD.kind IN ('api.request', 'api.refused') AND OLD.at < before
)
BEGIN SELECT RAISE(ABORT, 'activity is append-only'); END;
DROP TRIGGER teams_epoch;
CREATE TRIGGER teams_epoch AFTER UPDATE OF name, plan, api_enabled ON teams
BEGIN UPDATE instance SET access_epoch = access_epoch + 1; END;
ALTER TABLE teams DROP COLUMN deleted_at;
