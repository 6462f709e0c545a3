"""Tables of a predictor as one archive: its arrays by name, the number of features and the link."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Protocol

import numpy as np
import numpy.typing as npt

from modelyard.packaging.predictors.archive import archive_of, arrays_in
from modelyard.packaging.predictors.linear import Link

__all__ = ["Tables", "read_tables", "write_tables"]

_LINKS = tuple(Link)
_SETTINGS = "settings"


class Tables(Protocol):
    """A dataclass of arrays, and ``features``, the number of features of a row."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def features(self) -> int:
        """How many features a row has."""


def write_tables(name: str, tables: Tables, link: Link) -> dict[str, bytes]:
    """The archive called ``name``; a field that is None is left out."""
    fields = {field.name: getattr(tables, field.name) for field in dataclasses.fields(tables)}
    features = fields.pop("features")
    arrays = {field: array for field, array in fields.items() if array is not None}
    return {name: archive_of({**arrays, _SETTINGS: np.array([float(features), float(_LINKS.index(link))])})}


def read_tables(
    files: Mapping[str, bytes], name: str, types: Mapping[str, npt.DTypeLike], optional: Sequence[str] = ()
) -> tuple[dict[str, Any], Link]:
    """What :func:`write_tables` wrote: the fields of the tables by name, and the link.

    Parameters
    ----------
    types
        Every array's name and type.
    optional
        Names of arrays of doubles that packages of some age do not hold; their fields are None then.

    Raises
    ------
    IntegrityError
        If the archive is missing or no archive.
    IndexError, ValueError
        If a number in it has no meaning.
    """
    arrays = arrays_in(files, name, (*types, _SETTINGS))
    features, link = (int(number) for number in arrays[_SETTINGS])
    fields: dict[str, Any] = {field: arrays[field].astype(type_) for field, type_ in types.items()}
    fields |= {field: arrays.get(field) for field in optional}
    return fields | {"features": features}, _LINKS[link]
