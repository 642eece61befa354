"""Options of the command line: what a parser makes of the words that it is given."""
