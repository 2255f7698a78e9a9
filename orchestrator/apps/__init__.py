"""One app: its context, health, probes, pause and drain."""
