-- With the status: of many refusals, those with another one are passed over in the index.
DROP INDEX activity_refused;
CREATE INDEX activity_refused ON activity (team_id, id, status) WHERE status >= 400;
