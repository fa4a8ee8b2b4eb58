DROP INDEX activity_refused;
CREATE INDEX activity_refused ON activity (team_id, id) WHERE status >= 400;
