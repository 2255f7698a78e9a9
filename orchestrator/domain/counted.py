"""A number with its noun, for people."""

from __future__ import annotations


def counted(number: int, noun: str) -> str:
    """`1 container`, `2 containers`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
