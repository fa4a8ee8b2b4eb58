DROP INDEX tokens_revoked;
DROP INDEX tokens_active;
DROP TRIGGER activity_no_delete;
CREATE TRIGGER activity_no_delete BEFORE DELETE ON activity
BEGIN SELECT RAISE(ABORT, 'activity is append-only'); END;
DROP TABLE retention;
DROP TABLE no_moments;
