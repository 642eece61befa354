"""Shell scripts, read and never run: words, statements, variables, and the commands that come of them."""
