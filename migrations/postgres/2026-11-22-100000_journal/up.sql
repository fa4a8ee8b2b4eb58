-- Calls that are on disk and not in activity yet: many in one row, so that a commit of them
-- costs as little as one. Each server moves its own on, and what a server that is gone left.
CREATE TABLE call_batches (
    id     BIGSERIAL NOT NULL PRIMARY KEY,
    writer BYTEA     NOT NULL,
    calls  BYTEA     NOT NULL
);
