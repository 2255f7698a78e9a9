"""Text that has too little contrast with its background is made darker: many colours are chosen for a dark screen."""

from __future__ import annotations

from functools import lru_cache

from rich.segment import Segment
from rich.style import Style
from textual.color import BLACK, WHITE, Color
from textual.filter import LineFilter

LEAST = 4.5
"""The contrast that text must have (WCAG 2.2, success criterion 1.4.3)."""
STEPS = 10


class Readable(LineFilter):
    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        return [Segment(text, style and _readable(style, background), control) for text, style, control in segments]


def contrast(one: Color, other: Color) -> float:
    """From 1 to 21, as WCAG 2.2 has it."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def readable(colour: Color, background: Color) -> Color:
    """The colour, or the first on the way to black or white that has enough contrast with the background."""
    end = max(BLACK, WHITE, key=lambda one: contrast(one, background))
    ways = (colour.blend(end, step / STEPS) for step in range(STEPS + 1))
    return next((one for one in ways if contrast(one, background) >= LEAST), end)


@lru_cache(4096)
def _readable(style: Style, background: Color) -> Style:
    if style.color is None or style.color.is_default:
        return style
    ground = style.bgcolor
    under = Color.from_rich_color(ground) if ground and not ground.is_default else background
    found = readable(Color.from_rich_color(style.color), under)
    return style + Style(color=found.rich_color)


def _luminance(colour: Color) -> float:
    red, green, blue = (_linear(part / 255) for part in colour.rgb)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.03928 else float(((part + 0.055) / 1.055) ** 2.4)
