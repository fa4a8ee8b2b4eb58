-- Name and address as searches compare them. Rows of an older version have their keys until a job folds
-- the accents in them too.
ALTER TABLE contacts ADD COLUMN search_text TEXT NOT NULL DEFAULT '';
UPDATE contacts SET search_text = COALESCE(name_key || ' ', '') || address_key;
ALTER TABLE instance ADD COLUMN contact_rule INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instance ADD COLUMN contacts_done BLOB;
