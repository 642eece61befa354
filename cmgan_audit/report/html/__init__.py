"""Reports as one HTML file each: no network, no time stamps, every name shown as text."""
