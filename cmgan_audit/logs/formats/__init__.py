"""One reader per format: tables, JSON, event files, W&B runs, notebooks; names of checkpoints."""
