"""What names mean before anything is executed: one spelling per library, and which file an import is."""
