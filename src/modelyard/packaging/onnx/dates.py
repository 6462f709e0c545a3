"""The calendar in whole-number arithmetic: parts of a moment that comes as seconds since 1970."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from modelyard.features.dates import CIRCLES
from modelyard.packaging.onnx.graph import Graph

__all__ = ["date_difference", "date_parts"]

_DAY_S = 86_400.0
_EPOCH_SHIFT = 719_468  # days from 1 March of the year 0 to 1 January 1970
_ERA_DAYS = 146_097  # of 400 years


def date_parts(graph: Graph, seconds: str, names: Sequence[str]) -> list[str]:
    """Each part as doubles of shape (rows, 1), not a number where the moment is."""
    missing = graph.add("IsNaN", seconds)
    known = graph.add("Where", missing, graph.constant(0.0), seconds)
    days = graph.add("Floor", graph.add("Div", known, graph.constant(_DAY_S)))
    whole = graph.to_whole(days)
    made: dict[str, str] = {}

    def of(name: str) -> str:
        if name not in made:
            made[name] = _PARTS[name](graph, known, days, whole)
        return made[name]

    parts = []
    for name in names:
        plain, circle = CIRCLES.get(name, (name, None))
        part = of(plain)
        part = graph.to_double(part) if circle is None else graph.add("Gather", graph.constant(np.array(circle)), part)
        parts.append(graph.add("Where", missing, graph.constant(np.float64("nan")), part))
    return parts


def date_difference(graph: Graph, start: str, end: str) -> str:
    """Days from one moment to the other."""
    return graph.add("Div", graph.add("Sub", end, start), graph.constant(_DAY_S))


def _hour(graph: Graph, known: str, days: str, whole: str) -> str:
    del whole
    left = graph.add("Sub", known, graph.add("Mul", days, graph.constant(_DAY_S)))
    return graph.to_whole(graph.add("Floor", graph.add("Div", left, graph.constant(3_600.0))))


def _weekday(graph: Graph, known: str, days: str, whole: str) -> str:
    """Monday is 1; 1 January 1970 was a Thursday, and ``Mod`` has the sign of the divisor."""
    del known, days
    return _plus(graph, graph.add("Mod", _plus(graph, whole, 3), _whole(graph, 7)), 1)


def _epoch_days(graph: Graph, known: str, days: str, whole: str) -> str:
    del graph, known, days
    return whole


def _month(graph: Graph, known: str, days: str, whole: str) -> str:
    """Counted from March, and turned: 10 is January."""
    del known, days
    count, _ = _month_from_march(graph, whole)
    late = graph.add("Less", count, _whole(graph, 10))
    return graph.add("Where", late, _plus(graph, count, 3), _plus(graph, count, -9))


def _day(graph: Graph, known: str, days: str, whole: str) -> str:
    del known, days
    count, day_of_year = _month_from_march(graph, whole)
    before = _over(graph, _plus(graph, _times(graph, count, 153), 2), 5)
    return _plus(graph, graph.add("Sub", day_of_year, before), 1)


def _month_from_march(graph: Graph, whole: str) -> tuple[str, str]:
    """Months since March, and days since 1 March, by the civil calendar (H. Hinnant, "chrono-compatible low-level date
    algorithms", 2013); the year is counted from 1 March so that the leap day comes last.
    """
    in_era = graph.add("Mod", _plus(graph, whole, _EPOCH_SHIFT), _whole(graph, _ERA_DAYS))
    year = graph.add("Sub", in_era, _over(graph, in_era, 1_460))
    year = graph.add("Add", year, _over(graph, in_era, 36_524))
    year = _over(graph, graph.add("Sub", year, _over(graph, in_era, 146_096)), 365)
    leaps = graph.add("Sub", _over(graph, year, 4), _over(graph, year, 100))
    day_of_year = graph.add("Sub", in_era, graph.add("Add", _times(graph, year, 365), leaps))
    return _over(graph, _plus(graph, _times(graph, day_of_year, 5), 2), 153), day_of_year


def _whole(graph: Graph, number: int) -> str:
    return graph.constant(np.int64(number))


def _plus(graph: Graph, value: str, number: int) -> str:
    return graph.add("Add", value, _whole(graph, number))


def _times(graph: Graph, value: str, number: int) -> str:
    return graph.add("Mul", value, _whole(graph, number))


def _over(graph: Graph, value: str, number: int) -> str:
    """Whole division; what is divided is never below 0 here."""
    return graph.add("Div", value, _whole(graph, number))


_PARTS: Mapping[str, Callable[[Graph, str, str, str], str]] = {
    "month": _month,
    "day": _day,
    "weekday": _weekday,
    "hour": _hour,
    "epoch_days": _epoch_days,
}
