ALTER TABLE instance DROP COLUMN words_done;
ALTER TABLE instance DROP COLUMN word_rule;
