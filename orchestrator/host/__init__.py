"""What the orchestrator does on its own machine: child processes."""
