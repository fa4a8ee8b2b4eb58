DROP TABLE call_batches;
