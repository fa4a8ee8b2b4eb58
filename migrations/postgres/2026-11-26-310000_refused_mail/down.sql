UPDATE mail_stores SET bytes = bytes + refused_bytes, messages = messages + refused_messages;
ALTER TABLE mail_stores DROP COLUMN refused_messages;
ALTER TABLE mail_stores DROP COLUMN refused_bytes;
UPDATE messages SET size = kept WHERE kept IS NOT NULL;
ALTER TABLE messages DROP COLUMN kept;
