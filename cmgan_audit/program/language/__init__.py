"""What each construct of the language does: statements, expressions, calls, functions and classes."""
