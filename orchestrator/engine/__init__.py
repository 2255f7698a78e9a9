"""The container engine behind the steps. `docker.py` is the one for a single host."""
