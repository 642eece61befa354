"""What a run does with checkpoints: which it loads, what it restores, which set picks the best, what it keeps."""
