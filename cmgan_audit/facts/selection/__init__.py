"""What decides which weights are the best: on which set a number is measured, and in which sense it is better."""
