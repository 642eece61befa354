"""What libraries do with the values they are given: one module per library, found by qualified name."""
