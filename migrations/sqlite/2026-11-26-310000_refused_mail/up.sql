-- Refused mail (denied or rejected) has its own counters, outside the quota, so that its senders
-- cannot fill that. Only the beginning of a long refused message is stored.
ALTER TABLE messages ADD COLUMN kept BIGINT;    -- bytes of the stored beginning; NULL if all is stored
ALTER TABLE mail_stores ADD COLUMN refused_bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE mail_stores ADD COLUMN refused_messages BIGINT NOT NULL DEFAULT 0;
UPDATE mail_stores SET
    refused_bytes = (SELECT COALESCE(SUM(size), 0) FROM messages
        WHERE messages.team_id = mail_stores.team_id AND state IN ('denied', 'rejected')),
    refused_messages = (SELECT COUNT(*) FROM messages
        WHERE messages.team_id = mail_stores.team_id AND state IN ('denied', 'rejected'));
UPDATE mail_stores SET bytes = bytes - refused_bytes, messages = messages - refused_messages;
