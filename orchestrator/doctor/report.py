"""One finding of `changeover doctor`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """The checked part, whether it is in order, and what to do. `warns`: it is in order, and a risk is accepted."""

    what: str
    well: bool
    says: str
    remedy: str = ""
    warns: bool = False
