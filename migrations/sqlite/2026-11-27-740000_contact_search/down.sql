ALTER TABLE instance DROP COLUMN contacts_done;
ALTER TABLE instance DROP COLUMN contact_rule;
ALTER TABLE contacts DROP COLUMN search_text;
