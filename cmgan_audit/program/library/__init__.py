"""What is not the tree's own code: Python's functions and types, other libraries, and those that call the tree back."""
