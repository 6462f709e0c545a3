"""The log's copy in a database: records and the place up to which they were copied, in one transaction."""

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from modelyard.core import StateError
from modelyard.serving.database import Database
from modelyard.serving.prediction_log.segments import LogKind, SegmentContent
from modelyard.serving.roles import STABLE

__all__ = ["LogDatabase", "Slice"]

_JSON = sa.JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
_MOMENT = sa.DateTime(timezone=True)
_TABLES = sa.MetaData()

_SEGMENTS = sa.Table(
    "modelyard_log_segments",
    _TABLES,
    sa.Column("segment", sa.String(80), primary_key=True),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("header", _JSON, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
)
"""How far each segment was copied."""

_RECORDS = {
    LogKind.PREDICTIONS: sa.Table(
        "modelyard_predictions",
        _TABLES,
        sa.Column("id", sa.String(64), primary_key=True),
        sa.Column("role", sa.String(16), primary_key=True),  # a shadow's record has the id of the answer
        sa.Column("segment", sa.String(80), nullable=False),
        sa.Column("at", _MOMENT, index=True),
        *(sa.Column(name, sa.Text) for name in ("model", "version", "digest")),
        *(sa.Column(name, sa.Double) for name in ("latency_ms", "score")),
        sa.Column("label", sa.Text),
        *(sa.Column(name, _JSON) for name in ("probabilities", "flags", "features")),
    ),
    LogKind.FEEDBACK: sa.Table(
        "modelyard_feedback",
        _TABLES,
        sa.Column("id", sa.Text),
        sa.Column("segment", sa.String(80), nullable=False),
        sa.Column("at", _MOMENT),
        sa.Column("label", sa.Text),
    ),
    LogKind.GAPS: sa.Table(
        "modelyard_log_gaps",
        _TABLES,
        sa.Column("segment", sa.String(80), nullable=False),
        sa.Column("at", _MOMENT),
        sa.Column("until", _MOMENT),
        sa.Column("answers", sa.BigInteger),
    ),
}


@dataclasses.dataclass(frozen=True)
class Slice:
    """Whole lines of a segment.

    Parameters
    ----------
    segment, kind
        Which, and what it holds.
    start, end
        Bytes of the segment.
    header
        Its header; empty if it is not in the slice.
    records
        In order.
    """

    segment: str
    kind: LogKind
    start: int
    end: int
    header: Mapping[str, Any]
    records: Sequence[Mapping[str, Any]]


class LogDatabase:
    """The log in a database, written by one process at a time; see :class:`~.shipping.Shipper`.

    Parameters
    ----------
    address
        Of PostgreSQL or SQLite.

    Raises
    ------
    ConfigError, MissingExtraError
        As :class:`~modelyard.serving.database.Database`.
    """

    def __init__(self, address: str) -> None:
        self._database = Database(address)
        self.address = self._database.address

    def positions(self) -> dict[str, int]:
        """Segment to bytes that were copied; the tables are made if they are missing.

        Raises
        ------
        StateError
            If the database cannot be reached, here as in all that follows.
        """
        with self._database.transaction() as connection:
            _TABLES.create_all(connection)
            return {row.segment: row.bytes for row in connection.execute(sa.select(_SEGMENTS))}

    def take(self, part: Slice) -> None:
        """Copy a slice; either all of it is there and counted, or nothing."""
        with self._database.transaction() as connection:
            self._advance(connection, part)
            rows = [_row(record, part) for record in part.records]
            if rows and self._database.is_postgresql:
                _copy(connection, _RECORDS[part.kind], rows)
            elif rows:
                connection.execute(sa.insert(_RECORDS[part.kind]), rows)

    def content(self, kind: LogKind) -> Iterator[SegmentContent]:
        """What was copied, segment by segment, as if it were read from the segments."""
        table = _RECORDS[kind]
        with self._database.transaction() as connection:
            if not self._database.has_table(connection, _SEGMENTS.name):
                return
            headers = {row.segment: row.header for row in connection.execute(sa.select(_SEGMENTS))}
            records: dict[str, list[dict[str, Any]]] = {}
            for row in connection.execute(sa.select(table).order_by(table.c.segment)).mappings():
                records.setdefault(row["segment"], []).append(_record(dict(row)))
        for segment, some in records.items():
            yield SegmentContent(headers.get(segment, {}), tuple(some), ())

    def remove_before(self, moment: dt.datetime) -> int:
        """Remove records that are older; says how many."""
        with self._database.transaction() as connection:
            if not self._database.has_table(connection, _SEGMENTS.name):
                return 0
            return sum(
                connection.execute(sa.delete(table).where(table.c.at < moment)).rowcount for table in _RECORDS.values()
            )

    def _advance(self, connection: sa.Connection, part: Slice) -> None:
        """Move the place, if it is where this process takes it to be."""
        if part.start == 0:
            row = {"segment": part.segment, "kind": part.kind.value, "header": dict(part.header), "bytes": part.end}
            connection.execute(sa.insert(_SEGMENTS), row)
            return
        here = (_SEGMENTS.c.segment == part.segment) & (_SEGMENTS.c.bytes == part.start)
        moved = connection.execute(sa.update(_SEGMENTS).where(here).values(bytes=part.end))
        if moved.rowcount != 1:
            raise StateError(
                "another process copies the same log",
                where=self.address,
                got=part.segment,
                cure="Let one machine write one log folder; this process looks again in a moment",
            )


def _row(record: Mapping[str, Any], part: Slice) -> dict[str, Any]:
    """A record as a row of its table; cells that it lacks are null."""
    row = {column.name: record.get(column.name) for column in _RECORDS[part.kind].columns} | {"segment": part.segment}
    if part.kind is LogKind.PREDICTIONS:
        row["role"] = record.get("role", STABLE)
    for name in ("at", "until"):
        if name in row:
            row[name] = _moment(row[name])
    if "label" in row and row["label"] is not None:
        row["label"] = row["label"] if isinstance(row["label"], str) else json.dumps(row["label"])
    return row


def _moment(text: object) -> dt.datetime | None:
    """A moment as segments hold it; None for what is none, as readers of segments have it."""
    try:
        return dt.datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _record(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as it stood in its segment."""
    record = {name: cell for name, cell in row.items() if name != "segment"}
    for name in ("at", "until"):
        moment = record.get(name)
        if moment is not None:
            moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)  # SQLite keeps no zone; ours is UTC
            record[name] = moment.astimezone(dt.UTC).isoformat()
    return record


def _copy(connection: sa.Connection, table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """PostgreSQL's COPY, which takes rows ten times as fast as INSERT."""
    names = [column.name for column in table.columns]
    structured = {column.name for column in table.columns if isinstance(column.type, sa.JSON)}
    listed = ", ".join(f'"{name}"' for name in names)
    driver: Any = connection.connection.driver_connection
    with (
        driver.cursor() as cursor,
        cursor.copy(f'COPY "{table.name}" ({listed}) FROM STDIN') as stream,
    ):  # our own names
        for row in rows:
            cells = (row[name] for name in names)
            stream.write_row(
                [
                    json.dumps(cell) if name in structured and cell is not None else cell
                    for name, cell in zip(names, cells, strict=True)
                ]
            )
