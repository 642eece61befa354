"""What must be right before a mean is believed."""
