"""The pen: SVG elements with classes instead of colours, text that is measured and escaped."""

import unicodedata
from collections.abc import Sequence

from modelyard.report.blocks import Figure
from modelyard.report.marks import escape

__all__ = ["Drawing", "shorten", "text_width"]

_NARROW = frozenset("iljtfrI.,:;'|!()[] ")
_BROAD = frozenset("mwMW@%")


def text_width(text: str, size: float = 12.0) -> float:
    """Estimated width of ``text`` in pixels at font size ``size``; errs on the generous side.

    >>> text_width("il") < text_width("MW")
    True
    """
    ems = 0.0
    for character in text:
        if character in _NARROW:
            ems += 0.36
        elif character in _BROAD or unicodedata.east_asian_width(character) in "WF":
            ems += 1.0
        elif character.isupper():
            ems += 0.72
        else:
            ems += 0.62
    return ems * size


def shorten(text: str, width: float, size: float = 12.0) -> str:
    """``text`` cut with an ellipsis so that it fits ``width`` pixels.

    >>> shorten("a_rather_long_feature_name", 80)
    'a_rather_lo…'
    """
    line = " ".join(text.split())
    if text_width(line, size) <= width:
        return line
    while line and text_width(line + "…", size) > width:
        line = line[:-1]
    return line + "…"


class Drawing:
    """Collects the elements of one chart, then wraps them in an ``<svg>`` with title and description.

    Coordinates are pixels from the top left. Looks come from class names that the page's style sheet defines, so a
    chart follows the page into the dark.
    """

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._data = ""

    def tell(self, **data: str) -> None:
        """What the page's script may read of the chart as a whole: ``plane`` becomes ``data-plane``."""
        self._data += "".join(f' data-{name.replace("_", "-")}="{escape(text)}"' for name, text in data.items())

    def line(self, x1: float, y1: float, x2: float, y2: float, look: str) -> None:
        """A straight line."""
        self._parts.append(f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{look}"/>')

    def path(
        self, points: Sequence[tuple[float, float]], look: str, *, closed: bool = False, name: str | None = None
    ) -> None:
        """A polyline, or a polygon if ``closed``; nothing for fewer than two points.

        The values of a line with a ``name``, which may be empty, are shown under the pointer.
        """
        if len(points) < 2:
            return
        steps = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        named = "" if name is None else f' data-name="{escape(name)}"'
        self._parts.append(f'<path d="M{steps}{"Z" if closed else ""}" class="{look}"{named}/>')

    def box(
        self,
        corner: tuple[float, float],
        size: tuple[float, float],
        look: str,
        *,
        opacity: float | None = None,
        tip: str = "",
    ) -> None:
        """A rectangle with slightly rounded corners; ``tip`` is shown on hover."""
        head = f'<rect x="{corner[0]:.1f}" y="{corner[1]:.1f}" width="{size[0]:.1f}" height="{size[1]:.1f}" rx="2"'
        shade = "" if opacity is None else f' fill-opacity="{opacity:.2f}"'
        self._close(f'{head} class="{look}"{shade}', "rect", tip)

    def tiles(self, boxes: Sequence[tuple[float, float, float, float]], look: str, strength: float, tip: str) -> None:
        """Boxes of one look that meet without a seam: left, top, width, height; invisible (0) to solid (1)."""
        steps = "".join(f"M{x:.1f} {y:.1f}h{width:.1f}v{height:.1f}h-{width:.1f}z" for x, y, width, height in boxes)
        self._close(f'<path d="{steps}" class="{look} tile" fill-opacity="{strength:.2f}"', "path", tip)

    def strokes(self, pieces: Sequence[tuple[float, float, float, float]], look: str) -> None:
        """Straight pieces of one look, from a point to another; nothing for none."""
        if pieces:
            steps = "".join(f"M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" for x1, y1, x2, y2 in pieces)
            self._parts.append(f'<path d="{steps}" class="{look}"/>')

    def dot(self, x: float, y: float, radius: float, look: str, tip: str = "") -> None:
        """A filled circle."""
        self._close(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}" class="{look}"', "circle", tip)

    def cloud(self, points: Sequence[tuple[float, float]], radius: float, look: str, *, name: str = "") -> None:
        """Many circles of one look; their ``name`` is shown under the pointer."""
        dots = "".join(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:g}"/>' for x, y in points)
        named = f' data-name="{escape(name)}"' if name else ""
        self._parts.append(f'<g class="{look}"{named}>{dots}</g>')

    def text(self, x: float, y: float, text: str, look: str = "", tip: str = "") -> None:
        """A label; the look ``end`` or ``mid`` anchors it there. A leading hyphen of a number becomes a minus."""
        shown = "−" + text[1:] if text[:1] == "-" and text[1:2].isdigit() else text
        inner = f"<title>{escape(tip)}</title>" if tip else ""
        look_attribute = f' class="{look}"' if look else ""
        self._parts.append(f'<text x="{x:.1f}" y="{y:.1f}"{look_attribute}>{inner}{escape(shown)}</text>')

    def figure(self, width: float, height: float, title: str, description: str) -> Figure:
        """The finished chart."""
        head = (
            f'<svg class="chart" xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width:.0f} {height:.0f}"'
            f' width="{width:.0f}" height="{height:.0f}"{self._data}>'
        )
        texts = f"<title>{escape(title)}</title><desc>{escape(description)}</desc>"
        return Figure(f"{head}{texts}{''.join(self._parts)}</svg>")

    def _close(self, head: str, tag: str, tip: str) -> None:
        self._parts.append(f"{head}><title>{escape(tip)}</title></{tag}>" if tip else f"{head}/>")
