DROP INDEX aliases_tagged;
ALTER TABLE aliases DROP COLUMN base_key;
