-- With SQLite this table is in a file of its own beside the store (…-calls), so that calls
-- are committed while something else is written here. See src/store/access/journal.rs.
SELECT 1;
