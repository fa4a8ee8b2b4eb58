-- JSON: {"to": [{"address", "name"}, …], "cc": […]}. NULL for a message that is older than this:
-- its headers are read, which may be clipped.
ALTER TABLE message_contents ADD COLUMN recipients TEXT;
