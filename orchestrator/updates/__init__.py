"""Looking for updates."""
