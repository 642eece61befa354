"""What counts: settings, suppressions, baseline, exit status."""
