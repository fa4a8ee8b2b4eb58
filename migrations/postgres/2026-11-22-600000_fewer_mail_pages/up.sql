-- An index of what comes in no order costs a page a message. The latest messages of a contact
-- tell their conversations, and one index by Message-ID tells both who is answered and what is
-- there twice: `dedupe` is over Message-ID and body.
DROP INDEX conversations_by_subject;
DROP INDEX messages_once;
DROP INDEX messages_by_header;
CREATE UNIQUE INDEX messages_by_header ON messages (team_id, header_id, dedupe, alias_id)
    WHERE header_id IS NOT NULL;
CREATE UNIQUE INDEX messages_without_header ON messages (alias_id, dedupe) WHERE header_id IS NULL;
