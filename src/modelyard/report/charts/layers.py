"""Boxes in layers, and lines from what was there before to what was made of it."""

import dataclasses
from collections.abc import Sequence

from modelyard.report.blocks import Figure
from modelyard.report.charts.axes import WIDTH
from modelyard.report.charts.drawing import Drawing, shorten

__all__ = ["LayerNode", "layer_chart"]

_BOX = 40.0
_BETWEEN = 30.0
_ASIDE = 14.0
_WIDEST = 210.0
_TEXT = 7.0


@dataclasses.dataclass(frozen=True)
class LayerNode:
    """One box.

    Parameters
    ----------
    key
        By which links name it.
    label, note
        What stands in it, and in smaller letters below; both in full under the pointer.
    is_marked
        Whether the chart is about it.
    """

    key: str
    label: str
    note: str = ""
    is_marked: bool = False


def layer_chart(nodes: Sequence[LayerNode], links: Sequence[tuple[str, str]], *, title: str) -> Figure:
    """From top to bottom: each box below all those from which a line comes to it.

    Parameters
    ----------
    nodes
        In the order in which they stand within a layer.
    links
        Pairs of keys, from and to; a pair with a key that no node has is left out.
    title
        The heading.
    """
    drawing = Drawing()
    if not nodes:
        drawing.text(WIDTH / 2, 40, "nothing to show", "mid")
        return drawing.figure(WIDTH, 80, title, "There is nothing to show.")
    keys = {node.key for node in nodes}
    known = [(first, second) for first, second in dict.fromkeys(links) if {first, second} <= keys and first != second]
    layers = _layers(nodes, known)
    places = {node.key: place for row, layer in enumerate(layers) for node, place in _places(layer, row)}
    for first, second in known:
        (x1, y1, width1), (x2, y2, width2) = places[first], places[second]
        drawing.line(x1 + width1 / 2, y1 + _BOX, x2 + width2 / 2, y2, "s1 line quiet")
    for layer in layers:
        for node in layer:
            _draw_box(drawing, node, *places[node.key])
    names = {node.key: node.label for node in nodes}
    words = "; ".join(f"{names[first]} to {names[second]}" for first, second in known)
    return drawing.figure(WIDTH, len(layers) * (_BOX + _BETWEEN) - _BETWEEN + 16, title, words[:2000])


def _layers(nodes: Sequence[LayerNode], links: Sequence[tuple[str, str]]) -> list[list[LayerNode]]:
    """Nodes by the longest way to them; a circle, which no history has, ends at the last layer."""
    depth = {node.key: 0 for node in nodes}
    for _ in nodes:
        for first, second in links:
            depth[second] = min(max(depth[second], depth[first] + 1), len(nodes) - 1)
    used = sorted(set(depth.values()))
    return [[node for node in nodes if depth[node.key] == layer] for layer in used]


def _places(layer: Sequence[LayerNode], row: int) -> list[tuple[LayerNode, tuple[float, float, float]]]:
    """Left, top and width of each box of a row, which is centred."""
    width = min(_WIDEST, (WIDTH - 16 - _ASIDE * (len(layer) - 1)) / len(layer))
    aside = _ASIDE if width > 2 * _TEXT else 0.0
    width = max(width, (WIDTH - 16) / len(layer) if not aside else width)
    left = (WIDTH - width * len(layer) - aside * (len(layer) - 1)) / 2
    top = 8 + row * (_BOX + _BETWEEN)
    return [(node, (left + place * (width + aside), top, width)) for place, node in enumerate(layer)]


def _draw_box(drawing: Drawing, node: LayerNode, left: float, top: float, width: float) -> None:
    tip = f"{node.label}: {node.note}" if node.note else node.label
    drawing.box((left, top), (width, _BOX), "hollow" if node.is_marked else "level0", tip=tip)
    middle, room = left + width / 2, max(width - 2 * _TEXT, 0.0)
    drawing.text(middle, top + (17 if node.note else 25), shorten(node.label, room), "ink mid strong", tip=tip)
    if node.note:
        drawing.text(middle, top + 32, shorten(node.note, room, 11.0), "mid small", tip=tip)
