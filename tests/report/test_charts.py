import math
import re
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.report import (
    Cloud,
    FieldCell,
    Figure,
    HeatCell,
    LayerNode,
    Series,
    bar_chart,
    dumbbell_chart,
    field_chart,
    heat_chart,
    histogram_chart,
    interval_chart,
    layer_chart,
    line_chart,
    matrix_chart,
    scatter_chart,
)
from modelyard.report.charts.axes import Scale, format_tick, nice_ticks
from modelyard.report.charts.contours import contour

_ANY = st.floats(allow_nan=True, allow_infinity=True, width=64)


def _check(figure: Figure) -> ET.Element:
    """The drawing is well-formed and every coordinate in it is a finite number."""
    root = ET.fromstring(figure.svg)  # noqa: S314 - our own drawing
    for element in root.iter():
        for name in ("x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "width", "height"):
            assert math.isfinite(float(element.get(name, "0")))
    return root


def _texts(figure: Figure) -> list[str]:
    return re.findall(r"<text[^>]*>(?:<title>.*?</title>)?([^<]*)</text>", figure.svg)


@settings(max_examples=40, deadline=None)
@given(st.lists(_ANY, max_size=8))
def test_any_numbers_give_a_well_formed_drawing(values: list[float]) -> None:
    """NaN, infinities, huge, equal, negative or no values at all never break a chart."""
    labels = [f"<{index}>" for index in range(len(values))]
    positions = [float(index) for index in range(len(values))]
    _check(line_chart([Series("a", positions, values, values, values)], title="t", x_label="x", y_label="y"))
    _check(line_chart([Series("a", values, values)], title="t", x_label="x", y_label="y", diagonal=True))
    _check(bar_chart(labels, values, title="t", low=values, high=values))
    _check(dumbbell_chart(labels, values, positions, title="t"))
    _check(interval_chart(labels, values, values, values, title="t", reference=values[0] if values else None))
    _check(scatter_chart(values, values, title="t", x_label="x", y_label="y", zero_line=True))
    _check(scatter_chart(values, values, title="t", x_label="x", y_label="y", diagonal=True))


@pytest.mark.parametrize(
    "figure",
    [
        line_chart([], title="t", x_label="x", y_label="y"),
        bar_chart([], [], title="t"),
        interval_chart([], [], [], [], title="t"),
        scatter_chart([], [], title="t", x_label="x", y_label="y"),
        histogram_chart([], {}, title="t", x_label="x"),
        histogram_chart([0, 1], {"a": [0]}, title="t", x_label="x"),
        heat_chart([], [], [], title="t"),
        dumbbell_chart([], [], [], title="t"),
        field_chart([1], [1, 2], [[FieldCell(1, 0.5)]] * 2, title="t", x_label="x", y_label="y"),
    ],
)
def test_nothing_to_show_is_said(figure: Figure) -> None:
    """A chart without data says so instead of failing or showing an empty frame."""
    _check(figure)

    assert _texts(figure) == ["no data"]


def test_every_chart_has_a_title_and_a_description_in_words() -> None:
    """What the eye sees is told in text too."""
    figure = line_chart([Series("live", [0, 1], [0.8, 0.7])], title="AUC per day", x_label="day", y_label="AUC")

    assert "<title>AUC per day</title>" in figure.svg
    assert "<desc>AUC over day. live: from 0.7000 to 0.8000, last 0.7000.</desc>" in figure.svg


def test_charts_carry_no_colour_of_their_own() -> None:
    """Colours come from the page by class, so that a chart follows it into the dark."""
    figure = matrix_chart(["a", "b"], ["a", "b"], [[9, 1], [2, 8]], title="t")

    assert not re.search(r"#[0-9a-f]{3,6}\b|rgb\(|style=", figure.svg)


def test_series_are_told_apart_by_more_than_colour() -> None:
    """Lines with room for it are named at their ends; crossing ends fall back to a legend."""
    apart = line_chart(
        [Series("a", [0, 1], [0, 0.1]), Series("b", [0, 1], [1, 0.9])], title="t", x_label="x", y_label="y"
    )
    together = line_chart([Series(name, [0, 1], [0, 0.5]) for name in "abcd"], title="t", x_label="x", y_label="y")

    assert "strong" in apart.svg
    assert "strong" not in together.svg
    assert [text for text in _texts(together) if text in "abcd"] == ["a", "b", "c", "d"]


def test_a_dumbbell_tells_before_from_after_by_shape() -> None:
    """The first value is a hollow dot, the second a filled one, and the words give the direction."""
    figure = dumbbell_chart(["a"], [10], [30], title="t", names=("then", "now"))

    assert figure.svg.count('class="hollow"') == 2
    assert "<desc>then to now: a 10 to 30</desc>" in figure.svg


def test_gaps_break_a_line() -> None:
    """A NaN in the middle leaves two pieces rather than a straight bridge."""
    figure = line_chart([Series("a", range(5), [1, 2, math.nan, 4, 5])], title="t", x_label="x", y_label="y")

    assert figure.svg.count('class="s1 thick"') == 2


def test_long_lines_and_clouds_are_thinned() -> None:
    """A hundred thousand points do not make a megabyte."""
    many = list(range(100_000))
    line = line_chart([Series("a", many, many)], title="t", x_label="x", y_label="y")
    cloud = scatter_chart(many, many, title="t", x_label="x", y_label="y")

    assert len(line.svg) < 20_000
    assert cloud.svg.count("<circle") == 1500


def test_bars_are_as_long_as_their_values() -> None:
    """Lengths are proportional, and a negative bar goes to the left of zero."""
    root = _check(bar_chart(["a", "b", "c"], [4, 2, -2], title="t"))
    boxes = [element for element in root.iter() if element.tag.endswith("rect")]
    widths = [float(box.get("width", "0")) for box in boxes]

    assert widths[0] == pytest.approx(2 * widths[1], abs=0.2)
    assert widths[1] == pytest.approx(widths[2], abs=0.2)
    assert float(boxes[2].get("x", "0")) < float(boxes[1].get("x", "0"))


def test_a_matrix_tells_counts_and_shares_of_rows() -> None:
    """Each cell holds its count and its share of the row; an empty row has no division by zero."""
    texts = _texts(matrix_chart(["n", "y"], ["n", "y"], [[30, 10], [0, 0]], title="t"))

    assert {"30", "75\u202f%", "10", "25\u202f%", "0", "0\u202f%"} <= set(texts)


def test_histogram_groups_are_scaled_to_their_own_rows() -> None:
    """A group of ten rows stands as high as one of a thousand with the same shape."""
    figure = histogram_chart([0, 1, 2], {"big": [500, 500], "small": [5, 5]}, title="t", x_label="x")
    paths = re.findall(r'<path d="([^"]*)" class="s\d line"', figure.svg)

    assert paths[0] == paths[1]


def test_heat_levels_have_a_sign_beside_the_colour() -> None:
    """Levels one to three are marked in text; unjudged cells are outlines."""
    figure = heat_chart(["f"], ["w1", "w2"], [[HeatCell(3, "tip"), HeatCell(None)]], title="t")

    assert _texts(figure).count("‼") == 2
    assert "unjudged" in figure.svg
    assert "<desc>moderate or large in: f.</desc>" in figure.svg


@settings(max_examples=60, deadline=None)
@given(st.floats(-1e9, 1e9), st.floats(0.01, 1e9))
def test_ticks_are_within_range_and_evenly_spaced(low: float, span: float) -> None:
    """Ticks stay inside, rise, and their labels differ from each other."""
    high = low + span
    ticks = nice_ticks(low, high)
    slack = span * 1e-6

    assert all(low - slack <= tick <= high + slack for tick in ticks)
    assert list(ticks) == sorted(set(ticks))
    assert len(ticks) <= 12


def test_tick_labels_show_the_digits_of_their_step() -> None:
    """Steps below one get decimals, large numbers their thousands."""
    assert [format_tick(*pair) for pair in ((0.25, 0.25), (10, 5), (15000, 5000))] == ["0.25", "10", "15,000"]


def test_a_scale_holds_values_at_its_ends() -> None:
    """Values outside the range are drawn on the border, not outside the picture."""
    scale = Scale(0, 10, 100, 200)

    assert [scale(value) for value in (-5, 0, 5, 10, 99)] == [100, 100, 150, 200, 200]


def test_a_field_has_one_box_for_equal_neighbours() -> None:
    """Six equal cells in two rows are two boxes that fill the plane without a seam; words are under the pointer."""
    one, other = FieldCell(1, 0.3, "low"), FieldCell(2, 0.3, "high")
    rows = [[one, one, one], [one, one, other]]
    figure = field_chart([0, 1, 2], [0, 1], rows, title="t", x_label="across", y_label="up")
    looks = re.findall(r'<path d="([^"]+)" class="(f\d) tile"', figure.svg)
    boxes = [box for path, _ in looks for box in re.findall(r"M([\d.]+) ([\d.]+)h([\d.]+)v([\d.]+)h-", path)]
    (left, _, half, _), (right, _, rest, _) = boxes[1:]

    _check(figure)
    assert [look for _, look in looks] == ["f1", "f2"]
    assert len(boxes) == 3
    assert float(left) + float(half) == pytest.approx(float(right), abs=0.11)
    assert float(boxes[0][2]) == pytest.approx(3 * float(rest), abs=0.3)
    assert figure.svg.count("<title>low</title>") == 1


def test_points_outside_a_field_are_not_moved_into_it() -> None:
    """A point beyond the edge is left out rather than drawn at the edge; each cloud is named."""
    cells = [[FieldCell(1, 0.5)] * 2] * 2
    clouds = [Cloud("no", [0.0, 9.0], [0.5, 0.5]), Cloud("<yes>", [1.0], [1.0])]
    figure = field_chart([0, 1], [0, 1], cells, title="t", x_label="x", y_label="y", clouds=clouds)

    _check(figure)
    assert figure.svg.count("<circle") == 2
    assert 'data-name="&lt;yes&gt;"' in figure.svg


def test_the_border_runs_where_values_change_sign() -> None:
    """A slope has one straight line; a saddle has two pieces that part the corners below zero from the middle above."""
    slope = list(contour([0, 1, 2], [0, 1], [[-1, 0.5, 2], [-1, 0.5, 2]]))
    above = list(contour([0, 1], [0, 1], [[1, -0.5], [-0.5, 1]]))
    below = list(contour([0, 1], [0, 1], [[0.5, -1], [-1, 0.5]]))

    assert len(slope) == 1
    assert slope[0] == pytest.approx((2 / 3, 0, 2 / 3, 1))
    assert [sorted([(x1, y1), (x2, y2)]) for x1, y1, x2, y2 in above] == [
        [(pytest.approx(2 / 3), 0), (1, pytest.approx(1 / 3))],
        [(0, pytest.approx(2 / 3)), (pytest.approx(1 / 3), 1)],
    ]
    assert [sorted([(x1, y1), (x2, y2)]) for x1, y1, x2, y2 in below] == [
        [(pytest.approx(2 / 3), 1), (1, pytest.approx(2 / 3))],
        [(0, pytest.approx(1 / 3)), (pytest.approx(1 / 3), 0)],
    ]
    assert list(contour([0, 1], [0, 1], [[1, 1], [1, 1]])) == []


@given(st.lists(st.lists(st.floats(-1, 1), min_size=5, max_size=5), min_size=4, max_size=4))
@settings(max_examples=40, deadline=None)
def test_the_border_stays_in_the_grid(values: list[list[float]]) -> None:
    """Whatever the numbers are, each piece lies within the grid and on a crossing of its cell."""
    for x1, y1, x2, y2 in contour(range(5), range(4), values):
        for x, y in ((x1, y1), (x2, y2)):
            assert 0 <= x <= 4
            assert 0 <= y <= 3
            assert x == round(x) or y == round(y)


def test_layers_stand_below_what_they_come_from() -> None:
    """Each box below all boxes before it, within the page, escaped; an unknown key is left out."""
    nodes = [LayerNode(key, f"<{key}>", f"note of {key}", is_marked=key == "d") for key in "abcd"]
    figure = layer_chart(nodes, [("a", "b"), ("a", "c"), ("b", "d"), ("c", "d"), ("a", "d"), ("x", "d")], title="t")
    root = _check(figure)
    boxes = [element for element in root.iter() if element.tag.endswith("rect")]
    tops = [float(box.get("y", "0")) for box in boxes]
    lines = [element for element in root.iter() if element.tag.endswith("line")]

    assert [tops.count(top) for top in sorted(set(tops))] == [1, 2, 1]
    assert [box.get("class") for box in boxes] == ["level0", "level0", "level0", "hollow"]
    assert len(lines) == 5
    assert all(float(line.get("y1", "0")) < float(line.get("y2", "0")) for line in lines)
    assert _texts(figure)[:2] == ["&lt;a&gt;", "note of a"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60), st.lists(st.tuples(st.integers(0, 62), st.integers(0, 62)), max_size=60))
def test_any_links_give_a_well_formed_drawing(count: int, links: list[tuple[int, int]]) -> None:
    """No box, one, many in a row, circles and links to oneself: all boxes are on the page."""
    nodes = [LayerNode(str(number), f"node {number}") for number in range(count)]
    root = _check(layer_chart(nodes, [(str(first), str(second)) for first, second in links], title="t"))
    boxes = [element for element in root.iter() if element.tag.endswith("rect")]

    assert len(boxes) == count
    assert all(float(box.get("x", "0")) >= 0 for box in boxes)
    assert all(
        float(box.get("x", "0")) + float(box.get("width", "0")) <= float(root.get("width", "0")) for box in boxes
    )
