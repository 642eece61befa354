"""Frameworks that hold networks, loaders and optimisers for the program, and hand them on."""
