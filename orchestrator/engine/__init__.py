"""The container engine behind the steps. `base.py` says what is asked of it; `docker/` is the one of a single host."""
