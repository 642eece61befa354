"""Numbers that an evaluation averages over its batches."""
