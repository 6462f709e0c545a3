"""Numbers as people write them: decimal commas, and marks between thousands."""

import polars as pl

from modelyard.data.dtypes import PARSED_SHARE
from modelyard.data.table import Table, TableLike

__all__ = ["with_plain_numerals"]

# A mark between thousands is a point, a comma, an apostrophe or a space that does not break; a common space only
# counts beside a decimal mark, since "030 123 456" is a telephone number.
_HARD = "'’\u00a0\u202f"
_WITH_COMMA = rf"^[+-]?(?:\d{{1,3}}(?:[.{_HARD}]\d{{3}})+(?:,\d+)?|\d{{1,3}}(?: \d{{3}})+,\d+|\d+(?:,\d+)?)$"
_WITH_POINT = rf"^[+-]?(?:\d{{1,3}}(?:[,{_HARD}]\d{{3}})+(?:\.\d+)?|\d{{1,3}}(?: \d{{3}})+\.\d+|\d*\.?\d+|\d+\.)$"
_MARKED = rf"[,{_HARD} ]|\.\d+\."
_MARKS_BESIDE_COMMA = rf"[.{_HARD} ]"
_MARKS_BESIDE_POINT = rf"[,{_HARD} ]"


def with_plain_numerals(rows: TableLike, *, delimiter: str) -> tuple[Table, tuple[str, ...]]:
    """Text cells with numbers written plainly, and notes on what was read how.

    A column is touched only if 99 % of its cells are numbers in one of the two ways of writing: ``1.234,5`` or
    ``1,234.5``. Where both fit (``1,234`` in every cell), the way of the file's other columns decides; failing that, a
    file whose cells are separated by commas writes points, every other writes commas.
    """
    frame = Table.of(rows)
    ways = {name: _way(frame[name]) for name in frame.columns}
    clear = {way for way in ways.values() if way in {"comma", "point"}}
    usual = clear.pop() if len(clear) == 1 else ("point" if delimiter == "," else "comma")
    chosen = {name: usual if way == "either" else way for name, way in ways.items() if way}
    commas = [name for name, way in chosen.items() if way == "comma"]
    points = [name for name, way in chosen.items() if way == "point"]
    plain = frame.with_columns(
        pl.col(commas).str.strip_chars().str.replace_all(_MARKS_BESIDE_COMMA, "").str.replace(",", ".", literal=True),
        pl.col(points).str.strip_chars().str.replace_all(_MARKS_BESIDE_POINT, ""),
    )
    return plain, tuple(_notes(frame, commas, points, [name for name, way in ways.items() if way == "either"]))


def _way(values: pl.Series) -> str:
    """``comma``, ``point`` or ``either`` for numbers with marks; ``""`` for plain numbers and for words."""
    known = values.drop_nulls().str.strip_chars()
    known = known.filter(known != "")
    if not known.str.contains(_MARKED).any():
        return ""
    if known.head(1000).str.contains(r"[A-Za-z]").mean() == 1.0:
        return ""
    comma = _share(known, _WITH_COMMA) >= PARSED_SHARE
    point = _share(known, _WITH_POINT) >= PARSED_SHARE
    return {(True, True): "either", (True, False): "comma", (False, True): "point"}.get((comma, point), "")


def _share(values: pl.Series, pattern: str) -> float:
    return float(values.str.contains(pattern).sum()) / len(values)


def _notes(frame: Table, commas: list[str], points: list[str], unclear: list[str]) -> list[str]:
    grouped = [name for name in (*commas, *points) if _has_groups(frame[name], comma=name in commas)]
    decimal = [name for name in commas if frame[name].str.contains(",").any()]
    notes = []
    if decimal:
        notes.append(f"a decimal comma was read as a point in {_listed(decimal)}")
    if grouped:
        notes.append(f"marks between thousands were left out in {_listed(grouped)}")
    for name in unclear:
        example = frame[name].drop_nulls().filter(frame[name].drop_nulls().str.contains(",")).head(1)
        shown = example[0].strip() if len(example) else ""
        read = shown.replace(",", ".") if name in commas else shown.replace(",", "")
        notes.append(f"column {name!r} could be written in two ways: {shown!r} was read as {read}")
    return notes


def _has_groups(values: pl.Series, *, comma: bool) -> bool:
    marks = _MARKS_BESIDE_COMMA if comma else _MARKS_BESIDE_POINT
    return bool(values.str.strip_chars().str.contains(marks).any())


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names))
