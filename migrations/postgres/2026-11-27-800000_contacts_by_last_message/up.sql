-- The order in which the page of contacts lists them. Those without a message come last.
CREATE INDEX contacts_by_last_message ON contacts (team_id, (COALESCE(last_seen_at, 0)), id);
