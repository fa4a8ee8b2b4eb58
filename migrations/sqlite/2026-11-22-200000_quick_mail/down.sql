DROP INDEX messages_unread;
CREATE INDEX messages_unread ON messages (team_id, id) WHERE read_at IS NULL AND state = 'delivered';
