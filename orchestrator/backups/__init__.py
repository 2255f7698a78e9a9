"""Backups of an app's data: made while the app writes, checked before they are trusted, restored under hold."""
