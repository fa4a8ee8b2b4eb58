-- Calls that are on disk but not yet in activity: many in one row, so that committing them costs as
-- little as one. Each server moves its own calls, and those of servers that have ended.
CREATE TABLE call_batches (
    id     BIGSERIAL NOT NULL PRIMARY KEY,
    writer BYTEA     NOT NULL,
    calls  BYTEA     NOT NULL
);
