"""Checkpoint files: read without running anything in them, weights found whatever the wrapping, names understood.

`survey` looks at a pickle without building anything from it, `reading` opens a file, `weights` finds the tensors,
`naming` understands file names, `inspection` and `changes` say what is inside and what changed. Only `reading` and
what builds on it import torch; `beside_weights` does so once there is a file to look at.
"""
