"""Changeover's orchestrator: the only part that uses the Docker API. It deploys releases."""
