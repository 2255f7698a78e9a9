"""Checks for updates."""
