"""Where things lie."""

from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
"""The checkout under test."""
