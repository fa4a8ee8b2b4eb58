-- With SQLite, this table is in a separate file (…-calls), so that calls can be committed while
-- something else is written here. See src/store/access/journal.rs.
SELECT 1;
