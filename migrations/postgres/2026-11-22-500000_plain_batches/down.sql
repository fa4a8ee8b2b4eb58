ALTER TABLE call_batches RESET (toast_tuple_target);
ALTER TABLE call_batches ALTER COLUMN calls SET STORAGE EXTENDED;
