"""The words of a page: blocks, sections, and the page itself. Plain data; the renderers give them a form."""

import dataclasses

from modelyard.core import Finding

__all__ = ["Block", "Details", "Fact", "Facts", "Figure", "Findings", "Page", "Prose", "Section", "Table"]


@dataclasses.dataclass(frozen=True)
class Prose:
    """Running text: ``**bold**`` and backticks for code are understood, everything else is shown as it is.

    A blank line starts a new paragraph; lines that all start with ``- `` make a list.
    """

    text: str


@dataclasses.dataclass(frozen=True)
class Fact:
    """One key figure: a short label, the value as it is to be read, and an optional note below it."""

    label: str
    value: str
    note: str = ""


@dataclasses.dataclass(frozen=True)
class Facts:
    """Key figures, side by side."""

    items: tuple[Fact, ...]


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of finished text.

    Parameters
    ----------
    columns
        Headings.
    rows
        Cells by row; a short row is filled with empty cells, cells beyond the headings are not shown.
    caption
        One sentence above the table.
    numeric
        Positions of columns to align right, with digits of equal width.
    compact
        One line for each row: on a narrow screen the table scrolls sideways under its first column, on paper its lines
        break.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    numeric: tuple[int, ...] = ()
    compact: bool = False


@dataclasses.dataclass(frozen=True)
class Figure:
    """A chart as inline SVG, made by a function of :mod:`modelyard.report.charts`.

    Parameters
    ----------
    svg
        The drawing. It is placed in the page as it is, so it must come from code, not from data; the page forbids
        scripts other than its own all the same. Its ``<title>`` is shown as the heading of the figure.
    caption
        One or two sentences below it: how to read it, or what to see.
    """

    svg: str
    caption: str = ""

    def with_caption(self, caption: str) -> "Figure":
        """The same drawing with another caption."""
        return Figure(self.svg, caption)


@dataclasses.dataclass(frozen=True)
class Findings:
    """Findings, the most severe first; otherwise in the order given. ``empty`` is said when there are none."""

    findings: tuple[Finding, ...]
    empty: str = "No findings."


@dataclasses.dataclass(frozen=True)
class Details:
    """Blocks folded under a summary line; printed unfolded."""

    summary: str
    blocks: tuple["Block", ...]


Block = Prose | Facts | Table | Figure | Findings | Details
"""Anything that a section can hold."""


@dataclasses.dataclass(frozen=True)
class Section:
    """A titled part of a page; ``lead`` is one or two sentences that say the result before the evidence."""

    title: str
    blocks: tuple[Block, ...]
    lead: str = ""


@dataclasses.dataclass(frozen=True)
class Page:
    """A whole report."""

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    footer: str = ""
