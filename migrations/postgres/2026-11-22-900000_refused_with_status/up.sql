-- The status is in the index, so that refusals with another one are skipped there.
DROP INDEX activity_refused;
CREATE INDEX activity_refused ON activity (team_id, id, status) WHERE status >= 400;
