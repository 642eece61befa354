"""The built-in CMGAN: the network TSCNet, the spectral pipeline around it, and how its checkpoints are opened."""
