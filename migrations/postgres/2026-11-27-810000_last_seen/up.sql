-- When a person last used a page, to the minute. Their sessions say it too, but end.
ALTER TABLE users ADD COLUMN last_seen_at BIGINT;
UPDATE users SET last_seen_at = (SELECT MAX(last_seen_at) FROM sessions WHERE sessions.user_id = users.id);
