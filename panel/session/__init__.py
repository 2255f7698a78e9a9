"""The state of one session of the panel, and where it is kept across releases."""
