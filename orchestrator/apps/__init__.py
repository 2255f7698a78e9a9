"""One app: what its deployments act on, its health, its pauses and its draining."""
