"""Changing and saving an app's data: its own migrations, backups, and the swap of data for a backup."""
