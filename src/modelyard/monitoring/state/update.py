"""Bringing the states up to date with the log: new parts are counted, grown ones again, late labels joined."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

import polars as pl

from modelyard.core import digest_bytes
from modelyard.data.profile import ReferenceProfile
from modelyard.data.schema import category_text
from modelyard.monitoring.state.counting import HOUR, count_rows
from modelyard.monitoring.state.hashing import hash_text
from modelyard.monitoring.state.log_parts import log_parts, read_moments, read_part
from modelyard.monitoring.state.records import LabelState
from modelyard.monitoring.state.store import StateStore

__all__ = ["count_log", "count_table", "join_states"]

_MOST_OUTCOMES = 200


def count_log(store: StateStore, profile: ReferenceProfile, folder: Path, digest: str, *, zone: str = "UTC") -> int:
    """Count what is new in the log of one package; returns the number of parts that had to be read.

    Parts are read one at a time, and those that have not changed since they were counted are not read at all. A row that
    repeats an id within a part counts once.
    """
    read = 0
    for part in log_parts(folder):
        if store.mark(part.name) == part.mark:
            continue
        rows = read_part(part, digest).unique("id", keep="first", maintain_order=True)
        store.put(part.name, part.mark, count_rows(profile, rows, zone=zone))
        read += 1
    return read


def count_table(
    store: StateStore, profile: ReferenceProfile, table: pl.DataFrame, name: str, *, zone: str = "UTC"
) -> None:
    """Count a table of scored rows, in the form of the log, under a name of its own; again under it, it replaces itself."""
    rows = table.unique("id", keep="first", maintain_order=True)
    ids = "\n".join(category_text(rows["id"]).fill_null("").sort().to_list())
    store.put(f"table:{name}", digest_bytes(ids.encode())[:32], count_rows(profile, rows, zone=zone))


def join_states(store: StateStore, folder: Path, digest: str, labels: pl.DataFrame, *, zone: str = "UTC") -> None:
    """Join labels, late ones and corrections too, to the hours of the predictions that they belong to.

    Parameters
    ----------
    labels
        Columns ``id``, ``label`` and ``at`` (when it came), one row an id, as :func:`modelyard.serving.read_feedback` gives
        them.
    """
    arrived = labels.select("id", "label", came=pl.col("at"))
    mark = _labels_mark(labels)
    for part in log_parts(folder):
        if store.labels_mark(part.name) == mark:
            continue
        rows = read_moments(part, digest).unique("id", keep="first", maintain_order=True)
        store.put_labels(part.name, mark, _label_states(rows.join(arrived, on="id", how="inner"), zone))


def _labels_mark(labels: pl.DataFrame) -> str:
    """What changes when labels come or are corrected."""
    text = labels.select(
        pl.concat_str(category_text(labels["id"]), category_text(labels["label"]), separator="=")
    ).to_series()
    return f"{labels.height}:{int(hash_text(text.drop_nulls()).sum()):x}"


def _label_states(joined: pl.DataFrame, zone: str) -> Mapping[dt.datetime, LabelState]:
    """Labels by the hour of their prediction."""
    hour = pl.col("at").dt.convert_time_zone(zone).dt.truncate(HOUR).dt.convert_time_zone("UTC")
    rows = joined.drop_nulls("label").with_columns(_hour=hour, _delay=pl.col("came") - pl.col("at"))
    found: dict[dt.datetime, LabelState] = {}
    for part in rows.partition_by("_hour", maintain_order=True):
        counted = category_text(part["label"]).alias("label").value_counts().sort("label")
        pairs = zip(counted["label"], counted["count"], strict=True) if counted.height <= _MOST_OUTCOMES else ()
        delay = int(part["_delay"].dt.total_microseconds().sum())
        found[part["_hour"][0]] = LabelState(part.height, delay, dict(pairs))
    return found
