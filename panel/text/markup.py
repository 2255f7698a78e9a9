"""Text in Rich's markup: every value that is put into it, so that nothing in the value is markup.

`[` begins a tag in it. `escape` of rich alone keeps newlines, and a value of several lines breaks a table.
"""

from __future__ import annotations

from rich.markup import escape

from border.plain import one_line, plain


def inline(value: object) -> str:
    """A value as a part of one line of markup."""
    return escape(one_line(str(value)))


def output(line: str) -> str:
    """A line of output as markup, with its spaces."""
    return escape(plain(line).replace("\n", " "))
