"""The client of the orchestrator's HTTP API, for the panel and the `changeover` command."""
