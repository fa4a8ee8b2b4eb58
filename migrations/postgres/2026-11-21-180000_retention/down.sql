DROP INDEX tokens_revoked;
DROP INDEX tokens_active;
DROP TRIGGER activity_no_delete ON activity;
DROP TRIGGER activity_no_update ON activity;
CREATE TRIGGER activity_no_change BEFORE UPDATE OR DELETE ON activity
    FOR EACH ROW EXECUTE FUNCTION activity_append_only();
DROP FUNCTION activity_only_old_calls_go();
DROP TABLE retention;
DROP TABLE no_moments;
