-- The list that contains a message. Refused mail and mail of blocked contacts is never in the inbox.
ALTER TABLE messages ADD COLUMN folder TEXT NOT NULL DEFAULT 'inbox'
    CHECK (folder IN ('inbox', 'archive', 'blocked'));
UPDATE messages SET folder = 'blocked' WHERE state IN ('denied', 'rejected')
    OR contact_id IN (SELECT id FROM contacts WHERE state = 'blocked');
CREATE INDEX messages_by_folder ON messages (team_id, folder, id);
DROP INDEX messages_unread;
CREATE INDEX messages_unread ON messages (team_id, id)
    WHERE read_at IS NULL AND folder NOT IN ('archive', 'blocked');
