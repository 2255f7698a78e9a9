"""The image that is made around a Python package: its Dockerfile, and what runs in it beside the package."""
