"""The console at the bottom of the dashboard."""
