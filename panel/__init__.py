"""Changeover's control panel, in the browser and in the terminal, and the `changeover` command. Both use the API."""
