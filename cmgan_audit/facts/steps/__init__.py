"""Steps of optimisers and schedulers, and what happens to losses and gradients before them."""
