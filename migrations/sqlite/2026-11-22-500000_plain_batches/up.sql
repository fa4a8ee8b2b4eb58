SELECT 1; -- SQLite compresses nothing.
