"""Recovery at the orchestrator's start: interrupted deployments, and the rebuild of a lost journal."""
