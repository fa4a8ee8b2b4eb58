SELECT 1; -- GIN has no segments to merge.
