"""What the program does with its values: abstract evaluation across files; nothing of it is ever run or imported."""
