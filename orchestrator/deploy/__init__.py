"""Deploying, rolling back and restoring: start reading at `plans.py`."""
