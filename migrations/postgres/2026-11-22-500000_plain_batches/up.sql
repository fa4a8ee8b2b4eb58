-- A batch is there for a second: it is not worth compressing, and a small one is kept in its
-- row rather than in pieces beside it.
ALTER TABLE call_batches ALTER COLUMN calls SET STORAGE EXTERNAL;
ALTER TABLE call_batches SET (toast_tuple_target = 8160);
