-- The same condition as in SQLite, where it makes queries for unread messages use this index.
DROP INDEX messages_unread;
CREATE INDEX messages_unread ON messages (team_id, id)
    WHERE read_at IS NULL AND state NOT IN ('denied', 'rejected');
