"""Features of one's own: plain functions on a Polars table, in ``features.py`` beside the project file.

They are run as they stand, in training and in production alike: whoever can change that file, or a package that holds
a copy of it, can run code. The copy in the package is checked by its digest before anything is run.
"""

import dataclasses
import functools
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import polars as pl

from modelyard.core import ConfigError, DataError, IntegrityError, Record, digest_bytes
from modelyard.data import Column, ColumnKind, Schema
from modelyard.features.values import (
    boolean_of,
    booleans_in,
    categories_in,
    category_of,
    moment_of,
    moments_in,
    number_of,
    numbers_in,
)

__all__ = ["OWN_FILE", "OwnFeature", "OwnFeatures", "feature", "load_own_features"]

OWN_FILE = "features.py"

_MARK = "__modelyard_feature__"
_ROWS_TRIED = 300
_ROWS_ALONE = 40

_Function = TypeVar("_Function", bound=Callable[[pl.DataFrame], Any])


@dataclasses.dataclass(frozen=True)
class OwnFeature(Record):
    """What a function of one's own says about itself.

    Parameters
    ----------
    name
        Of the function, and of the column that it makes.
    inputs
        The columns it reads, with their kinds.
    meaning
        What its value is, in one sentence.
    author
        Who wrote it.
    kind
        Kind of the column it makes, by the type of its values in training.
    """

    name: str
    inputs: tuple[Column, ...]
    meaning: str
    author: str
    kind: ColumnKind

    @property
    def column(self) -> Column:
        """The column it makes."""
        return Column(self.name, self.kind, "", nullable=True)


def feature(*, inputs: Sequence[str], meaning: str, author: str) -> Callable[[_Function], _Function]:
    """Mark a function of ``features.py`` as a feature; its name becomes the column's.

    The function gets a table of its inputs and gives an expression or a series with one value a row. Numbers arrive as
    Float64, categories and text as String, Booleans as Boolean, dates as moments; what is missing is null. A row's
    value must depend on that row alone: no mean over the table, no shift, no rank.

    Parameters
    ----------
    inputs
        Names of the columns that it reads; all must be features themselves.
    meaning
        What the value is, in one sentence, for the catalogue.
    author
        Who answers for it.

    >>> @feature(inputs=["tenure", "charge"], meaning="What was paid so far", author="ada")
    ... def paid(table):
    ...     return pl.col("tenure") * pl.col("charge")
    """

    def mark(function: _Function) -> _Function:
        setattr(function, _MARK, (tuple(inputs), meaning, author))
        return function

    return mark


@dataclasses.dataclass(frozen=True)
class OwnFeatures:
    """The features of one ``features.py``, ready to be added to tables and rows.

    Parameters
    ----------
    source
        The file's text; it is the version.
    features
        What the functions say about themselves, in the file's order.
    """

    source: str
    features: tuple[OwnFeature, ...]

    @property
    def digest(self) -> str:
        """SHA-256 of the source: the version of these features."""
        return digest_bytes(self.source.encode())

    @property
    def columns(self) -> tuple[Column, ...]:
        """The columns that they make."""
        return tuple(item.column for item in self.features)

    def add(self, frame: pl.DataFrame) -> pl.DataFrame:
        """The table with one more column for each feature.

        Raises
        ------
        DataError
            If an input is missing from the table, or a function fails or gives no column.
        """
        made = [self._made(item, _inputs_in(item, frame)) for item in self.features]
        return frame.with_columns(made)

    def add_to_rows(self, rows: Sequence[Mapping[str, object]]) -> list[dict[str, object]]:
        """Rows of a request with their features; the same values as :meth:`add` gives. Absent fields are missing.

        Raises
        ------
        DataError
            If a function fails or gives no column.
        """
        made = {item.name: self._made(item, _inputs_of(item, rows)).to_list() for item in self.features}
        return [{**row, **{name: values[place] for name, values in made.items()}} for place, row in enumerate(rows)]

    def _made(self, item: OwnFeature, inputs: pl.DataFrame) -> pl.Series:
        return _computed(self._functions[item.name], item.name, inputs)

    @functools.cached_property
    def _functions(self) -> dict[str, Callable[[pl.DataFrame], Any]]:
        return _run(self.source)

    def __getstate__(self) -> dict[str, Any]:
        """The source and the records; functions are made again from the source."""
        return {"source": self.source, "features": self.features}

    @classmethod
    def of_package(cls, source: str, features: tuple[OwnFeature, ...], digest: str) -> "OwnFeatures":
        """The features that a package holds.

        Raises
        ------
        IntegrityError
            If the source is not that of the plan.
        """
        own = cls(source, features)
        if own.digest != digest:
            raise IntegrityError(
                "the features' source is not the one that the model was trained with",
                where=OWN_FILE,
                got=f"digest {own.digest[:12]} instead of {digest[:12]}",
                cure="Do not use the package; build it again from its run",
            )
        return own


def load_own_features(folder: Path, frame: pl.DataFrame, schema: Schema, usable: Sequence[str]) -> OwnFeatures | None:
    """The features of ``features.py`` in a project's folder, tried on training rows; None if there is none.

    Each function is run on up to 300 rows together, on the same rows the other way round, and on 40 of them one by one:
    a row's value must be the same each time.

    Parameters
    ----------
    frame, schema
        The training part.
    usable
        The columns that may be inputs.

    Raises
    ------
    ConfigError
        If the file cannot be run, or a feature's name or an input cannot be used.
    DataError
        If a function fails, or a row's value depends on other rows.
    """
    path = folder / OWN_FILE
    if not path.is_file():
        return None
    source = path.read_text(encoding="utf-8")
    functions = _run(source)
    tried = frame.gather_every(max(1, frame.height // _ROWS_TRIED)).head(_ROWS_TRIED)
    features = tuple(_tried(name, function, tried, schema, usable) for name, function in functions.items())
    return OwnFeatures(source, features) if features else None


def _run(source: str) -> dict[str, Callable[[pl.DataFrame], Any]]:
    """The marked functions of a source, by name and in its order."""
    module = types.ModuleType("features")
    try:
        exec(compile(source, OWN_FILE, "exec"), module.__dict__)  # noqa: S102 - the user's own code is what is asked for
    except Exception as error:
        raise ConfigError(
            "the features of one's own cannot be run",
            where=OWN_FILE,
            got=f"{type(error).__name__}: {error}",
            cure=f"Mend {OWN_FILE}; `python {OWN_FILE}` shows the line",
        ) from error
    found = {name: value for name, value in vars(module).items() if hasattr(value, _MARK)}
    return {name: value for name, value in found.items() if not name.startswith("_")}


def _tried(
    name: str, function: Callable[[pl.DataFrame], Any], frame: pl.DataFrame, schema: Schema, usable: Sequence[str]
) -> OwnFeature:
    """The record of one function, once it has shown that it looks at one row at a time."""
    names, meaning, author = getattr(function, _MARK)
    _check_words(name, names, meaning, author, schema, usable)
    draft = OwnFeature(name, tuple(schema.column(column) for column in names), meaning, author, ColumnKind.NUMERIC)
    inputs = _inputs_in(draft, frame)
    together = _computed(function, name, inputs)
    kind = _kind(name, together)
    reverse = _computed(function, name, inputs.reverse()).reverse()
    alone = [_computed(function, name, inputs[place]).item() for place in range(min(_ROWS_ALONE, inputs.height))]
    values = together.to_list()
    for other, how in ((reverse.to_list(), "in another order"), (alone, "alone")):
        for place, value in enumerate(other):
            if not _same(value, values[place]):
                raise DataError(
                    "the value of a row depends on other rows, which one request does not have",
                    where=f"{OWN_FILE}, {name}",
                    got=f"{values[place]!r} among {len(values)} rows, {value!r} {how}",
                    cure="Compute it from the columns of one row: no mean, rank, shift or count over the table",
                )
    return dataclasses.replace(draft, kind=kind)


def _check_words(
    name: str, names: Sequence[str], meaning: str, author: str, schema: Schema, usable: Sequence[str]
) -> None:
    """Refuse a feature that says too little of itself, reads what it may not, or is called like a column."""
    strangers = [column for column in names if column not in usable]
    problem = ""
    if name in schema.names:
        problem = "a column of the table has this name already"
    elif not names:
        problem = "no input is named"
    elif strangers:
        problem = f"{strangers[0]!r} is not a feature of this project"
    elif not meaning.strip() or not author.strip():
        problem = "meaning or author is empty"
    if problem:
        raise ConfigError(
            "a feature of one's own cannot be used",
            where=f"{OWN_FILE}, {name}",
            got=problem,
            cure="Name inputs that are features themselves, a meaning and an author, and choose a name of its own",
        )


def _computed(function: Callable[[pl.DataFrame], Any], name: str, inputs: pl.DataFrame) -> pl.Series:
    """What a function makes of a table."""
    try:
        given = function(inputs)
        made = inputs.select(given.alias(name))[name] if isinstance(given, pl.Expr) else given
    except Exception as error:
        raise DataError(
            "a feature of one's own failed",
            where=f"{OWN_FILE}, {name}",
            got=f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}",
            cure="Mend the function; it must bear missing values",
        ) from error
    if not isinstance(made, pl.Series) or len(made) != inputs.height:
        raise DataError(
            "a feature of one's own gives no column",
            where=f"{OWN_FILE}, {name}",
            got=f"{len(made)} values for {inputs.height} rows" if isinstance(made, pl.Series) else type(made).__name__,
            cure="Return a Polars expression or series with one value for each row",
        )
    return made.alias(name)


def _same(one: object, other: object) -> bool:
    """Equal, or both not a number."""
    return one == other or (one != one and other != other)  # noqa: PLR0124 - not-a-number is not itself


def _kind(name: str, made: pl.Series) -> ColumnKind:
    """What the values are, by their type."""
    if made.dtype == pl.Boolean:
        return ColumnKind.BOOLEAN
    if made.dtype.is_numeric() or made.dtype == pl.Null:
        return ColumnKind.NUMERIC
    if made.dtype in (pl.Date, pl.Datetime):
        return ColumnKind.DATE
    if made.dtype in (pl.String, pl.Categorical, pl.Enum):
        return ColumnKind.CATEGORY
    raise DataError(
        "a feature of one's own has values that cannot be features",
        where=f"{OWN_FILE}, {name}",
        got=str(made.dtype),
        cure="Return numbers, text, Booleans or dates",
    )


def _inputs_in(item: OwnFeature, frame: pl.DataFrame) -> pl.DataFrame:
    """The inputs of a table, each read as its kind says, so that a request brings the same."""
    absent = [column.name for column in item.inputs if column.name not in frame.columns]
    if absent:
        raise DataError(
            "a column that a feature of one's own reads is missing",
            where=f"{OWN_FILE}, {item.name}",
            got=f"no {absent[0]!r}",
            cure="Give a table with all training columns",
        )
    return pl.DataFrame([_read(frame[column.name], column.kind) for column in item.inputs])


def _read(values: pl.Series, kind: ColumnKind) -> pl.Series:
    if kind is ColumnKind.NUMERIC:
        return pl.Series(values.name, numbers_in(values)).fill_nan(None)
    if kind is ColumnKind.BOOLEAN:
        return booleans_in(values)
    if kind is ColumnKind.DATE:
        return moments_in(values).dt.cast_time_unit("us")
    return categories_in(values)


_READINGS: dict[ColumnKind, tuple[Callable[[object], Any], Any]] = {
    ColumnKind.NUMERIC: (number_of, pl.Float64),
    ColumnKind.BOOLEAN: (boolean_of, pl.Boolean),
    ColumnKind.DATE: (moment_of, pl.Datetime("us")),
}


def _inputs_of(item: OwnFeature, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """The inputs of rows, as :func:`_inputs_in` gives them for a table."""
    series = []
    for column in item.inputs:
        reading, dtype = _READINGS.get(column.kind, (category_of, pl.String))
        series.append(pl.Series(column.name, [reading(row.get(column.name)) for row in rows], dtype=dtype))
    return pl.DataFrame(series)
