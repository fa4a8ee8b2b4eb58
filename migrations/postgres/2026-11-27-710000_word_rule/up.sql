-- The version of the rule that extracts words from messages, and the seq up to which a newer version
-- has been applied.
ALTER TABLE instance ADD COLUMN word_rule INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instance ADD COLUMN words_done BIGINT NOT NULL DEFAULT 0;
