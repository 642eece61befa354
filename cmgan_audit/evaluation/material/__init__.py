"""What is evaluated: recordings, the pairs that they make, segments and strata, outputs by their names."""
