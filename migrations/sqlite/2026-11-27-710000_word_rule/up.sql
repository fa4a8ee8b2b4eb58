-- The rule by which the words of messages were made, and up to which seq they have been made again
-- by a newer one.
ALTER TABLE instance ADD COLUMN word_rule INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instance ADD COLUMN words_done BIGINT NOT NULL DEFAULT 0;
