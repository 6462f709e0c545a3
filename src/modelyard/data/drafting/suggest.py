"""What a table suggests about its project file: each choice with the reason for it."""

import dataclasses
import re
from collections.abc import Iterable, Mapping

import numpy as np
import polars as pl

from modelyard.core import DataError, Record
from modelyard.data.dtypes import plain_types
from modelyard.data.resolving import YES_WORDS, infer_task, positive_class
from modelyard.data.schema import ColumnKind, Schema, category_text, infer_schema
from modelyard.data.table import TableLike
from modelyard.problem import Task, did_you_mean

__all__ = ["Suggestion", "suggest"]

_ENTITY = (
    "subject|patient|person|customer|client|user|member|household|family|account|device|machine|sensor|session|"
    "store|shop|driver|player|company|employee|student|school|hospital|vehicle|site|batch"
)
_ENTITY_NAME = re.compile(rf"^({_ENTITY})s?[_ .-]?(id|no|nr|num|number|key|code|name)?$", re.IGNORECASE)
_ENTITY_PART = re.compile(rf"({_ENTITY})", re.IGNORECASE)
_ORDER_NAME = re.compile(
    r"(^|[_ .-])(order|seq|sequence|step|tick|instant|time|timestamp|rownum)($|[_ .-])", re.IGNORECASE
)
_NOT_EVENT_TIME = re.compile(r"birth|dob|expir|due|end", re.IGNORECASE)
_PROTECTED = re.compile(
    r"(^|[_ .-])(sex|gender|race|ethnic\w*|religion|age|nationality|native\w*|disab\w*|marital\w*|pregnan\w*)($|[_ .-])"
    r"|senior|birth",
    re.IGNORECASE,
)
_PART_WORDS = frozenset(("train", "training", "validation", "valid", "val", "dev", "test", "testing"))
_MIN_ROWS_PER_GROUP = 2.0
_MIN_LOOSE_GROUPS = 20
_SEGMENT_LEVELS = range(2, 11)
_MIN_SEGMENT_ROWS = 30
_MAX_SEGMENTS = 4


@dataclasses.dataclass(frozen=True)
class Suggestion(Record):
    """What ``modelyard new`` writes, and why.

    Parameters
    ----------
    task
        The task that the target's values suggest.
    positive
        The class of interest of a binary target; None for other tasks.
    id, time, group
        Columns found for these uses; None if there is none.
    exclude
        Columns better left out, with the reason.
    segments, protected
        Columns by which performance should be reported.
    because
        For each of the other fields that is set, one sentence that says why, by the field's name.
    """

    task: Task
    positive: str | None
    id: str | None
    time: str | None
    group: str | None
    exclude: Mapping[str, str]
    segments: tuple[str, ...]
    protected: tuple[str, ...]
    because: Mapping[str, str]


def suggest(frame: TableLike, target: str) -> Suggestion:
    """First choices for a table: they look at names, types and counts, never at how a column relates to the target.

    Raises
    ------
    DataError
        If the table has no such column.
    """
    if target not in frame.columns:
        raise DataError(
            "the target column is not in the table",
            where="target",
            got=repr(target),
            cure=did_you_mean(target, frame.columns),
        )
    if isinstance(frame, pl.DataFrame):
        frame, _ = plain_types(frame)
    schema = infer_schema(frame)
    because: dict[str, str] = {}
    task, positive = _question(frame[target].drop_nulls(), because)
    others = [name for name in frame.columns if name != target]
    time = _time(frame, schema, others, because)
    group = _group(frame, [name for name in others if name != time], because)
    id_ = _id(schema, [name for name in others if name not in (time, group)], because)
    exclude = _exclude(frame, schema, [name for name in others if name not in (id_, time, group)], because)
    free = [name for name in others if name not in (id_, time, group, *exclude)]
    protected = tuple(name for name in free if _PROTECTED.search(name))
    if protected:
        because["protected"] = f"The names of {_listed(protected)} say that they describe a person's protected traits."
    segments = _segments(frame, schema, [name for name in free if name not in protected], because)
    return Suggestion(task, positive, id_, time, group, exclude, segments, protected, because)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(repr(name) for name in names)


def _question(target: pl.Series, because: dict[str, str]) -> tuple[Task, str | None]:
    distinct = target.n_unique()
    task = infer_task(target) if distinct else Task.AUTO
    because["task"] = (
        f"The target has {distinct:,} distinct value{'' if distinct == 1 else 's'} of type {target.dtype}."
    )
    if task is not Task.BINARY:
        return task, None
    labels = category_text(target).unique().to_list()
    yes = [label for label in labels if label.lower() in YES_WORDS]
    positive = yes[0] if len(yes) == 1 else positive_class(target)
    share = float((category_text(target) == positive).sum()) / len(target)
    word = "it is the one that means yes" if len(yes) == 1 else "it is the rarer one"
    because["positive"] = f"Of the two classes, {word}; it makes up {share:.1%} of the rows."
    return task, positive


def _time(frame: TableLike, schema: Schema, names: list[str], because: dict[str, str]) -> str | None:
    """A date without gaps, the most finely divided first; else a sorted counter whose name speaks of order."""
    dates = [
        name
        for name in names
        if schema.column(name).kind is ColumnKind.DATE
        and frame[name].null_count() == 0
        and frame[name].n_unique() > len(_SEGMENT_LEVELS)
        and not _NOT_EVENT_TIME.search(name)
    ]
    if dates:
        best = max(dates, key=lambda name: (frame[name].is_sorted(), frame[name].n_unique()))
        because["time"] = (
            f"Column {best!r} holds dates from {frame[best].min()!s} to {frame[best].max()!s}; rows are divided by it, "
            "so that the model is tested on later rows than it learns from."
        )
        return best
    for name in names:
        if (
            schema.column(name).kind is ColumnKind.IDENTIFIER
            and frame[name].dtype.is_integer()
            and _ORDER_NAME.search(name)
        ):
            because["time"] = f"Column {name!r} counts the rows in order, and its name says that the order means time."
            return name
    return None


def _group(frame: TableLike, names: list[str], because: dict[str, str]) -> str | None:
    """A column that names entities with several rows each; the one with the most entities."""
    found: list[tuple[int, str, str]] = []
    for name in names:
        values = frame[name]
        if (
            values.dtype.is_float()
            or values.dtype == pl.Boolean
            or values.null_count()
            or not _ENTITY_PART.search(name)
        ):
            continue
        entities = values.n_unique()
        if len(values) / entities < _MIN_ROWS_PER_GROUP or entities < 3 or _mostly_one(values):
            continue
        contiguous = len(values.rle_id().unique()) == entities
        if not _ENTITY_NAME.match(name) and not (contiguous and entities >= _MIN_LOOSE_GROUPS):
            continue
        order = " in one block each" if contiguous else ""
        reason = (
            f"Column {name!r} names {entities:,} entities with {len(values) / entities:,.0f} rows each on average{order}; "
            "rows of one entity stay on one side of the split."
        )
        found.append((entities, name, reason))
    if not found:
        return None
    _, best, because["group"] = max(found)
    return best


def _mostly_one(values: pl.Series) -> bool:
    """True if one value fills more than half of the rows: it stands for none of the entities, such as "not applicable"."""
    return bool((values.value_counts()["count"] > len(values) / 2).any())


def _id(schema: Schema, names: list[str], because: dict[str, str]) -> str | None:
    """The first identifier, text before counters."""
    found = [name for name in names if schema.column(name).kind is ColumnKind.IDENTIFIER]
    if not found:
        return None
    best = min(found, key=lambda name: (schema.column(name).dtype != "String", names.index(name)))
    because["id"] = f"Almost every row has its own value in column {best!r}; it names rows and says nothing about them."
    return best


def _exclude(frame: TableLike, schema: Schema, names: list[str], because: dict[str, str]) -> dict[str, str]:
    """Constant columns, further identifiers, and columns that say which part of a split a row belonged to."""
    exclude: dict[str, str] = {}
    for name in names:
        values = frame[name].drop_nulls()
        if values.n_unique() <= 1:
            exclude[name] = "the same value in every row" if len(values) else "no value in any row"
        elif schema.column(name).kind is ColumnKind.IDENTIFIER:
            exclude[name] = "almost every row has its own value"
        elif values.dtype == pl.String and values.n_unique() <= 3 and _names_parts(values):
            exclude[name] = "it says which part of an earlier split the row belonged to (see split.column)"
    if exclude:
        because["exclude"] = f"Nothing can be learnt from {_listed(exclude)}; the reason stands beside each."
    return exclude


def _names_parts(values: pl.Series) -> bool:
    words = set(values.unique().str.to_lowercase().to_list())
    return len(words) > 1 and words <= _PART_WORDS


def _segments(frame: TableLike, schema: Schema, names: list[str], because: dict[str, str]) -> tuple[str, ...]:
    """The few columns of 2 to 10 levels, none too small, that divide the rows most evenly; categories before codes."""
    evenness: dict[str, tuple[bool, float]] = {}
    for name in names:
        kind, dtype = schema.column(name).kind, frame[name].dtype
        is_category = kind in (ColumnKind.CATEGORY, ColumnKind.BOOLEAN)
        if not is_category and not (kind is ColumnKind.NUMERIC and dtype.is_integer()):
            continue
        counts = frame[name].drop_nulls().value_counts(name="rows")["rows"].to_numpy()
        if len(counts) in _SEGMENT_LEVELS and counts.min() >= _MIN_SEGMENT_ROWS:
            shares = counts / counts.sum()
            evenness[name] = (is_category, -float((shares * np.log(shares)).sum()))
    best = sorted(evenness, key=lambda name: evenness[name], reverse=True)[:_MAX_SEGMENTS]
    chosen = tuple(name for name in names if name in best)
    if chosen:
        because["segments"] = f"Each of {_listed(chosen)} divides the rows into 2 to 10 sizeable parts."
    return chosen
