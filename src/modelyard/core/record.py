"""Frozen records that travel between rooms, and their one way to JSON and back."""

import dataclasses
import datetime as dt
import enum
import functools
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any, Self

from modelyard.core.errors import IntegrityError

__all__ = ["Record"]


class Record:
    """Base of the frozen dataclasses that rooms hand to one another.

    Subclasses are ``@dataclass(frozen=True)`` whose fields are JSON scalars, enums, datetimes, other records,
    tuples or mappings of these. ``to_dict`` and ``from_dict`` are exact inverses.

    >>> @dataclasses.dataclass(frozen=True)
    ... class Interval(Record):
    ...     low: float
    ...     high: float
    >>> Interval.from_dict(Interval(0.1, 0.2).to_dict())
    Interval(low=0.1, high=0.2)
    """

    def to_dict(self) -> dict[str, Any]:
        """The record as JSON-ready data; tuples become lists, enums their values, datetimes ISO 8601."""
        fields = dataclasses.fields(typing.cast("Any", self))
        return {field.name: _encode(getattr(self, field.name)) for field in fields}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Build the record from ``to_dict``'s output.

        Raises
        ------
        IntegrityError
            If a field without a default is missing, or an unknown field is present.
        """
        fields = {field.name: field for field in dataclasses.fields(typing.cast("Any", cls))}
        unknown = sorted(set(data) - set(fields))
        if unknown:
            raise IntegrityError(
                "unknown field in a stored record",
                where=cls.__name__,
                got=", ".join(unknown),
                cure="It was written by another version of modelyard; upgrade, or make the record again",
            )
        hints = _hints(typing.cast("Any", cls))
        values = {name: _decode(hints[name], value) for name, value in data.items()}
        try:
            return cls(**values)
        except TypeError as error:
            raise IntegrityError(
                "a field is missing from a stored record",
                where=cls.__name__,
                got=str(error),
                cure="It was written by another version of modelyard, or cut short; make the record again",
            ) from error


@functools.cache
def _hints(cls: type[Record]) -> Mapping[str, Any]:
    """The types of a record's fields, looked up once: a long ledger is a million records of one class."""
    return typing.get_type_hints(cls)


def _encode(value: Any) -> Any:
    """Any field value as JSON-ready data."""
    if isinstance(value, Record):
        return value.to_dict()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, dt.datetime | dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _encode(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str | bytes):
        return [_encode(item) for item in value]
    return value


def _decode(hint: Any, value: Any) -> Any:
    """The inverse of :func:`_encode` for a field annotated with ``hint``."""
    if value is None or hint is Any or hint is object:
        return value
    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _decode_union(arguments, value)
    if origin is tuple:
        return _decode_tuple(arguments, value)
    if origin is not None and issubclass(origin, Mapping):
        return {key: _decode(arguments[1], item) for key, item in value.items()}
    if origin is not None and origin is not typing.Literal and issubclass(origin, Sequence):
        return tuple(_decode(arguments[0], item) for item in value)
    if isinstance(hint, type):
        return _decode_plain(hint, value)
    return value


def _decode_union(arguments: tuple[Any, ...], value: Any) -> Any:
    """A value of an optional or a union of scalars; of several members, the first record wins for a mapping."""
    members = [member for member in arguments if member is not type(None)]
    if len(members) == 1:
        return _decode(members[0], value)
    if isinstance(value, Mapping):
        for member in members:
            if isinstance(member, type) and issubclass(member, Record):
                return _decode(member, value)
    return value


def _decode_tuple(arguments: tuple[Any, ...], value: Any) -> tuple[Any, ...]:
    """A homogeneous (``tuple[X, ...]``) or a fixed (``tuple[X, Y]``) tuple."""
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        return tuple(_decode(arguments[0], item) for item in value)
    return tuple(_decode(hint, item) for hint, item in zip(arguments, value, strict=True))


def _decode_plain(hint: type, value: Any) -> Any:
    """A record, an enum, a datetime, a float written without a fraction, or the value itself."""
    if issubclass(hint, Record):
        return hint.from_dict(value)
    if issubclass(hint, enum.Enum):
        return hint(value)
    if hint is dt.datetime:
        return dt.datetime.fromisoformat(value)
    if hint is dt.date:
        return dt.date.fromisoformat(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return value
