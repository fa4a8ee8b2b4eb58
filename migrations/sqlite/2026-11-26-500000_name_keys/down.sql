ALTER TABLE instance DROP COLUMN name_keys;
