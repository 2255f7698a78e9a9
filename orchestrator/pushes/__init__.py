"""Pushes: what forges and registries announce, whether that is true, and the check that follows."""
