"""Changeover's orchestrator: it alone touches Docker, and makes releases live."""
