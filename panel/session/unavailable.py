"""What the stores of the panel raise."""

from __future__ import annotations


class StoreUnavailable(Exception):
    """A store of the panel does not answer, or refuses. The message is for the log."""
