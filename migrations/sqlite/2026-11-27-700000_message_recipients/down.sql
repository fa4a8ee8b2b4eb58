ALTER TABLE message_contents DROP COLUMN recipients;
