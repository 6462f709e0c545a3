"""Scores that go to a table of a database: one transaction a part, and one that lets the table appear."""

import contextlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import sqlalchemy as sa

from modelyard.core import ConfigError, DataError, exclusive_lock
from modelyard.serving.batch.journal import Ground, Part
from modelyard.serving.batch.scoring import ScoredPiece
from modelyard.serving.database import Database

__all__ = ["TableTarget"]

_Statement = TypeVar("_Statement", sa.Delete, sa.Select[Any])
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,39}")
_GROUND, _PUBLISHED = -1, -2

_JOURNAL = sa.Table(
    "modelyard_parts",
    sa.MetaData(),
    sa.Column("destination", sa.String(64), primary_key=True),
    sa.Column("part", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("said", sa.Text, nullable=False),
)
"""Numbers of parts that are done, in the very transactions that bring their rows; -1 is the ground of half-done work,
and -2 says that the table is one of ours."""

_TYPES: tuple[tuple[tuple[Any, ...], Any], ...] = (
    ((pl.Boolean,), sa.Boolean()),
    ((pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32), sa.BigInteger()),
    ((pl.Float32, pl.Float64), sa.Double()),
    ((pl.Date,), sa.Date()),
    ((pl.Datetime,), sa.DateTime()),
)


class TableTarget:
    """A result in a table, its quarantine in ``<table>_quarantine``; implements :class:`~modelyard.serving.batch.run.Target`.

    Rows gather in ``<table>__unfinished``. A part's rows and its number in ``modelyard_parts`` are one transaction, so a
    part is there once or not at all. The last transaction puts the finished table in the place of the former one, which
    is replaced only if it was made here.

    Parameters
    ----------
    destination
        Address of PostgreSQL or SQLite, ``#``, and the table's name: letters, digits and underscores, at most 40.

    Raises
    ------
    ConfigError
        If there is no such name or address.
    """

    form = "table"

    def __init__(self, destination: str) -> None:
        address, _, table = destination.partition("#")
        self._database = Database(address)
        if not _NAME.fullmatch(table):
            raise ConfigError(
                "scores in a database need a table",
                where=self._database.address,
                got=repr(table) if table else "an address without one",
                cure="Write it behind the address, ADDRESS#NAME: letters, digits and underscores, at most 40",
            )
        self._table = table
        self.quarantine = f"{self.name}_quarantine"
        self._folder = Path.cwd() / f".{table}.unfinished"

    @property
    def name(self) -> str:
        """Address and table."""
        return f"{self._database.address}#{self._table}"

    @contextlib.contextmanager
    def opened(self) -> Iterator[Path]:
        """Keep others of this folder away; two machines are told apart by the database, which takes a number once.

        Raises
        ------
        LockedError
            If another process writes the same table.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        with exclusive_lock(self._folder / "lock"):
            try:
                yield self._folder / "source"
            finally:
                shutil.rmtree(self._folder, ignore_errors=True)

    def begin(self, ground: Ground, *, resume: bool) -> tuple[list[Part], str]:
        """The parts that are done on this ground, and why others do not count.

        Raises
        ------
        DataError
            If there is a table of this name that was not made here.
        """
        with self._database.transaction() as connection:
            _JOURNAL.create(connection, checkfirst=True)
            stored, parts = self._stored(connection)
            self._refuse_foreign(connection)
            differs = stored.differs(ground) if stored else ""
            if stored is not None and not differs and resume:
                return parts, ""
            for name in (self._table, f"{self._table}_quarantine"):
                _drop(connection, f"{name}__unfinished")
            connection.execute(self._mine(sa.delete(_JOURNAL)).where(_JOURNAL.c.part >= _GROUND))
            self._note(connection, _GROUND, ground.to_dict())
        return [], differs

    def write(self, part: Part, piece: ScoredPiece) -> None:
        """Rows and number of a part, in one transaction."""
        with self._database.transaction() as connection:
            self._note(connection, part.number, part.to_dict())
            for name, rows in ((self._table, piece.good), (f"{self._table}_quarantine", piece.bad)):
                table = _table(f"{name}__unfinished", rows)
                table.create(connection, checkfirst=True)
                if len(rows):
                    connection.execute(sa.insert(table), _plain(rows).to_dicts())

    def publish(self, *, has_quarantine: bool) -> None:
        """The finished tables take the place of the former ones, and the journal is closed: one transaction."""
        with self._database.transaction() as connection:
            for name in (self._table, f"{self._table}_quarantine"):
                _drop(connection, name)
            _rename(connection, self._table)
            if has_quarantine:
                _rename(connection, f"{self._table}_quarantine")
            _drop(connection, f"{self._table}_quarantine__unfinished")
            connection.execute(self._mine(sa.delete(_JOURNAL)))
            self._note(connection, _PUBLISHED, {})

    def forget(self) -> None:
        """What is half done goes, and the number of every part with it."""
        with self._database.transaction() as connection:
            for name in (self._table, f"{self._table}_quarantine"):
                _drop(connection, f"{name}__unfinished")
            if self._database.has_table(connection, _JOURNAL.name):
                connection.execute(self._mine(sa.delete(_JOURNAL)).where(_JOURNAL.c.part >= _GROUND))

    def _stored(self, connection: sa.Connection) -> tuple[Ground | None, list[Part]]:
        """The journal of this table."""
        lines = connection.execute(self._mine(sa.select(_JOURNAL.c.part, _JOURNAL.c.said)).order_by(_JOURNAL.c.part))
        said = {number: json.loads(text) for number, text in lines}
        ground = said.pop(_GROUND, None)
        said.pop(_PUBLISHED, None)
        if ground is None or ground.get("protocol") != Ground.protocol:
            return None, []
        return Ground.from_dict(ground), [Part.from_dict(record) for record in said.values()]

    def _refuse_foreign(self, connection: sa.Connection) -> None:
        """A table that somebody else made is not replaced."""
        ours = self._mine(sa.select(_JOURNAL.c.part)).where(_JOURNAL.c.part == _PUBLISHED)
        names = [
            name for name in (self._table, f"{self._table}_quarantine") if self._database.has_table(connection, name)
        ]
        if names and connection.execute(ours).first() is None:
            raise DataError(
                "there is a table of this name, which modelyard did not make",
                where=self._database.address,
                got=names[0],
                cure="Choose another name, or drop the table",
            )

    def _note(self, connection: sa.Connection, number: int, said: dict[str, object]) -> None:
        values = {"destination": self._table, "part": number, "said": json.dumps(said)}
        connection.execute(sa.insert(_JOURNAL), values)

    def _mine(self, statement: _Statement) -> _Statement:
        return statement.where(_JOURNAL.c.destination == self._table)


def _table(name: str, rows: pl.DataFrame) -> sa.Table:
    """A table with the columns of these rows."""
    columns = [sa.Column(column, _type(dtype)) for column, dtype in rows.schema.items()]
    return sa.Table(name, sa.MetaData(), *columns)


def _type(dtype: pl.DataType) -> Any:
    if isinstance(dtype, pl.Datetime) and dtype.time_zone is not None:
        return sa.DateTime(timezone=True)
    return next((kind for kinds, kind in _TYPES if dtype.base_type() in kinds), sa.Text())


def _plain(rows: pl.DataFrame) -> pl.DataFrame:
    """Cells that have no type of their own in a database become text."""
    odd = [name for name, dtype in rows.schema.items() if isinstance(_type(dtype), sa.Text) and dtype != pl.String]
    try:
        return rows.with_columns(pl.col(odd).cast(pl.String))
    except pl.exceptions.PolarsError as error:
        raise DataError(
            "cells of these columns cannot go into a database",
            got=", ".join(f"{name!r} ({rows.schema[name]})" for name in odd),
            cure="Leave them out of the source, or score to a Parquet file",
        ) from error


def _drop(connection: sa.Connection, name: str) -> None:
    sa.Table(name, sa.MetaData()).drop(connection, checkfirst=True)


def _rename(connection: sa.Connection, name: str) -> None:
    """Names were checked to be letters, digits and underscores."""
    connection.exec_driver_sql(f'ALTER TABLE "{name}__unfinished" RENAME TO "{name}"')
