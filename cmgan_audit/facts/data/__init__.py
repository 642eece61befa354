"""What the data path of training does beside its loaders: order, shards, splits, pairs, random numbers in workers."""
