-- An index in random order writes one page per message. A contact's latest messages lead to their
-- conversations, and one index by Message-ID finds both the message replied to and duplicates:
-- `dedupe` covers Message-ID and body.
DROP INDEX conversations_by_subject;
DROP INDEX messages_once;
DROP INDEX messages_by_header;
CREATE UNIQUE INDEX messages_by_header ON messages (team_id, header_id, dedupe, alias_id)
    WHERE header_id IS NOT NULL;
CREATE UNIQUE INDEX messages_without_header ON messages (alias_id, dedupe) WHERE header_id IS NULL;
