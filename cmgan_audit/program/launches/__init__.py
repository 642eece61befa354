"""What is executed: scripts, the modules that they import, their configurations, and code that no script reaches."""
