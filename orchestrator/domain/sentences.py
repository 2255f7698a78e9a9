"""Sentences of several authors, put together for people."""

from __future__ import annotations

_ENDS = (".", "!", "?", ":")


def sentences(*parts: str) -> str:
    """The parts that are not empty, each a sentence: one that ends with a command gets its full stop before the next.

    The last one stays as it is: a command at the end can be copied.
    """
    *firsts, last = [part.strip() for part in parts if part.strip()] or [""]
    return " ".join([*(one if one.endswith(_ENDS) else f"{one}." for one in firsts), last])
