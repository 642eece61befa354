"""What a training log shows when something is wrong; one module per kind of symptom."""
