DROP INDEX messages_without_header;
DROP INDEX messages_by_header;
CREATE INDEX messages_by_header ON messages (team_id, header_id) WHERE header_id IS NOT NULL;
CREATE UNIQUE INDEX messages_once ON messages (alias_id, dedupe);
CREATE INDEX conversations_by_subject ON conversations (team_id, contact_id, subject_key, id);
