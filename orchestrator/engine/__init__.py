"""The container engine. `base.py` is its protocol; `docker/` is the engine of one Docker host."""
