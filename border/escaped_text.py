"""How programs escape a text that they print: in JSON, addresses, HTML, shells, and strings of languages.

A text without special characters has one form. Backwards, or in other capitals than it has, no program prints one.
"""

from __future__ import annotations

import html
import json
import re
import shlex
from urllib.parse import quote, quote_plus

_JSON_SETS = ("", "<>&", "<>&'=", "<>&'+\"`")
"""What is written by its number although it need not be: by most, by Go and Rails, by Gson, by .NET."""
_SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_URL_SETS = ("", "/", "!'()*", "!'()*;,/?:@&=+$#", "$&+,;=", "*")
"""What is not percent-encoded beside letters, digits and `_.-~`: by quote, encodeURIComponent, encodeURI, Go, Java."""
_HTML_SETS: tuple[dict[str, str], ...] = (
    {},
    {'"': "&quot;", "'": "&#x27;"},
    {'"': "&quot;", "'": "&#39;"},
    {'"': "&quot;", "'": "&#039;"},
    {'"': "&quot;", "'": "&apos;"},
    {'"': "&#34;", "'": "&#39;"},
    {'"': "&#34;", "'": "&#39;", "+": "&#43;"},
    {'"': "&quot;", "'": "&#39;", "/": "&#x2F;", "`": "&#x60;", "=": "&#x3D;"},
    {'"': "&quot;", "'": "&#x27;", "/": "&#x2F;", "`": "&#x60;"},
)
"""Beside `&`, `<` and `>`: by some, Python, Django and Rails, PHP, XML, Jinja, Go, Mustache, Underscore."""
_SPECIAL_IN_A_SHELL = re.compile(r"[^\w@%+=:,./~-]", re.ASCII)
_HEX_OF_URLS = re.compile(r"%[0-9A-F]{2}")


def escaped_forms(value: str) -> set[str]:
    """The forms of a text, itself included, without quotes around them."""
    return {value, *_in_json(value), *_in_addresses(value), *_in_html(value), *_in_shells(value), *_in_code(value)}


def _in_json(value: str) -> set[str]:
    forms = set()
    for more in _JSON_SETS:
        for only_ascii in (True, False):
            for digits in ("04x", "04X"):
                forms.add("".join(_json_of(one, more, only_ascii, digits) for one in value))
    usual = {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]}
    within_json = {json.dumps(one)[1:-1] for one in usual}
    return forms | usual | within_json | {one.replace("/", "\\/") for one in usual}


def _json_of(one: str, more: str, only_ascii: bool, digits: str) -> str:
    if one not in more and one in _SHORT:
        return _SHORT[one]
    if one in more or one < " " or (only_ascii and one > "~"):
        units = one.encode("utf-16-be", "surrogatepass")
        return "".join(f"\\u{int.from_bytes(units[at : at + 2], 'big'):{digits}}" for at in range(0, len(units), 2))
    return one


def _in_addresses(value: str) -> set[str]:
    forms = {quote_plus(value, errors="replace"), quote_plus(value, safe="*", errors="replace")}
    forms |= {quote(value, safe=safe, errors="replace") for safe in _URL_SETS}
    forms |= {one.replace("~", "%7E") for one in forms}
    return forms | {_HEX_OF_URLS.sub(lambda found: found[0].lower(), one) for one in forms}


def _in_html(value: str) -> set[str]:
    forms = set()
    for names in _HTML_SETS:
        form = "".join(names.get(one, html.escape(one, quote=False)) for one in value)
        forms |= {form, form.encode("ascii", "xmlcharrefreplace").decode()}
    return forms


def _in_shells(value: str) -> set[str]:
    quoted = shlex.quote(value)
    return {
        quoted[1:-1] if quoted != value else value,
        value.replace("'", "'\\''"),
        _SPECIAL_IN_A_SHELL.sub(lambda found: f"\\{found[0]}", value),
        re.sub(r'(["$`\\])', r"\\\1", value),
        re.sub(r'(["$`\\!])', r"\\\1", value),
    }


def _in_code(value: str) -> set[str]:
    return {
        repr(value)[1:-1],
        repr(value.encode(errors="surrogatepass"))[2:-1],
        value.encode("unicode_escape").decode(),
        value.replace("\\", "\\\\").replace("'", "\\'"),
        value.replace("'", "''"),
        value.replace('"', '""'),
    }
