-- The condition is the same as in SQLite, where it keeps the unread to an index of their own.
DROP INDEX messages_unread;
CREATE INDEX messages_unread ON messages (team_id, id)
    WHERE read_at IS NULL AND state NOT IN ('denied', 'rejected');
