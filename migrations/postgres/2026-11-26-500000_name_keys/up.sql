-- The version of the rule for the keys of names; 0 is lower case alone. The program recomputes them
-- when its rule is newer.
ALTER TABLE instance ADD COLUMN name_keys INTEGER NOT NULL DEFAULT 0;
