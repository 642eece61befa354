"""What a training repository does, as typed records: loaders, datasets, samplers, loops."""
