-- A batch exists for about a second: it is not worth compressing, and a small one is stored in its
-- row instead of separate pieces.
ALTER TABLE call_batches ALTER COLUMN calls SET STORAGE EXTERNAL;
ALTER TABLE call_batches SET (toast_tuple_target = 8160);
