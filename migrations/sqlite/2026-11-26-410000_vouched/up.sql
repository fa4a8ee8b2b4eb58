-- Who invited an account into being, and so had its link too: its address is not verified.
-- NULL for accounts made at the setup or the command line, and for those from before.
ALTER TABLE users ADD COLUMN vouched_by TEXT;
