"""A client of the orchestrator's HTTP API, which the panel and the `changeover` command share."""
