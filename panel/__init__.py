"""Changeover's control panel, in the browser and in the terminal, and the `changeover` command: clients of the API."""
