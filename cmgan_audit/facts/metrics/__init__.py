"""How a training program computes a speech metric, what becomes of one that fails, and what a discriminator learns."""
