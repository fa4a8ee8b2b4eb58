DROP INDEX activity_changes;
CREATE INDEX activity_changes ON activity (team_id, id) WHERE kind <> 'api.request';
DROP TABLE leases;
DROP TRIGGER teams_epoch;
DROP TRIGGER tokens_gone_epoch;
DROP TRIGGER tokens_epoch;
ALTER TABLE instance DROP COLUMN access_epoch;
