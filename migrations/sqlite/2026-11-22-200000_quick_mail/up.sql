-- SQLite would use an index by state for "delivered" whenever it can; this condition makes queries
-- for unread messages use this one.
DROP INDEX messages_unread;
CREATE INDEX messages_unread ON messages (team_id, id)
    WHERE read_at IS NULL AND state NOT IN ('denied', 'rejected');
