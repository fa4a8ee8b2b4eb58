-- An index of states is walked for "delivered" whenever it can be; this condition keeps the
-- unread to their own.
DROP INDEX messages_unread;
CREATE INDEX messages_unread ON messages (team_id, id)
    WHERE read_at IS NULL AND state NOT IN ('denied', 'rejected');
