-- The person whose invitation created the account. They had its link too, so the address is not
-- verified. NULL for accounts created by the setup or the command line, and for older ones.
ALTER TABLE users ADD COLUMN vouched_by TEXT;
