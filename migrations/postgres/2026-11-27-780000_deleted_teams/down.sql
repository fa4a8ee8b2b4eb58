DROP INDEX aliases_ever;
CREATE OR REPLACE FUNCTION activity_only_old_calls_go() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.kind IN ('api.request', 'api.refused') AND OLD.at < (SELECT before FROM retention) THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'activity is append-only';
END $$;
DROP TRIGGER teams_epoch ON teams;
CREATE TRIGGER teams_epoch AFTER UPDATE OF name, plan, api_enabled ON teams
    FOR EACH ROW EXECUTE FUNCTION advance_access_epoch();
ALTER TABLE teams DROP COLUMN deleted_at;
