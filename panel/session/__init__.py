"""The state of a session of the panel, and its storage across releases."""
