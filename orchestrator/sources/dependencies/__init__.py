"""The packages that a release needs, by its requirement and lock files.

It runs as a process of its own (`python -m orchestrator.sources.dependencies`), with limits of time and memory: a file
of a few megabytes can make a parser work for hours.
"""
