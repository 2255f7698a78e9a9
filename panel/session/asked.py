"""Errors of a database as StoreUnavailable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import SQLAlchemyError

from panel.session.unavailable import StoreUnavailable


@contextmanager
def asked() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise StoreUnavailable(f"The panel's database does not answer: {type(error).__name__}.") from error
