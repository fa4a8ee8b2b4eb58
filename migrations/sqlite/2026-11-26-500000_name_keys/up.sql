-- By which rule the keys of names were written: 0 is lower case alone. The program writes them
-- again when its rule is another.
ALTER TABLE instance ADD COLUMN name_keys INTEGER NOT NULL DEFAULT 0;
