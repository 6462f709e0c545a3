import datetime as dt
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import IntegrityError, StateError
from modelyard.data import DatasetVersion, load_version, store_version, version_record
from modelyard.data.version import content_digest
from modelyard.store import Workspace

FRAME = pl.DataFrame({"a": [1, 2, None], "b": ["x", None, "é"]})


def test_equal_content_is_one_version(workspace: Workspace) -> None:
    """The same rows from another file, stored later and in other integer types, are the version known already."""
    moment = dt.datetime(2026, 1, 2, tzinfo=dt.UTC)
    first = store_version(FRAME, "a.csv", workspace, notes=("read as cp1252",), clock=lambda: moment)
    again = store_version(FRAME.with_columns(pl.col("a").cast(pl.Int8)), "b.parquet", workspace)

    assert again == first
    assert (first.source, first.rows, first.created_at) == ("a.csv", 3, moment)
    assert first.id == first.digest[:12]
    assert first.notes == ("read as cp1252",)


def test_a_version_comes_back_as_it_was(workspace: Workspace) -> None:
    """Loading gives the rows and the schema that were stored."""
    record = store_version(FRAME, "a.csv", workspace)
    dataset = load_version(record.id, workspace)

    assert dataset.frame.equals(FRAME)
    assert dataset.schema == record.columns
    assert version_record(record.id, workspace) == DatasetVersion.from_dict(record.to_dict()) == record


@pytest.mark.parametrize(
    "other",
    [
        FRAME.reverse(),
        FRAME.rename({"a": "c"}),
        FRAME.select("b", "a"),
        FRAME.with_columns(pl.col("a").fill_null(0)),
        FRAME.with_columns(pl.col("b").fill_null("")),
        FRAME.with_columns(pl.col("a").cast(pl.Float64)),
        FRAME.with_columns(pl.Series("b", ["xé", None, ""])),
        FRAME.head(2),
    ],
)
def test_any_change_of_content_is_another_version(other: pl.DataFrame) -> None:
    """Order, names, types, missing values and the borders between texts all count."""
    assert content_digest(other) != content_digest(FRAME)


@given(st.lists(st.tuples(st.none() | st.integers(-9, 9), st.none() | st.text(max_size=3)), min_size=1, max_size=6))
@settings(max_examples=40, deadline=None)
def test_the_digest_is_a_function_of_the_rows(rows: list[tuple[int | None, str | None]]) -> None:
    """Chunking and slicing do not change the digest; dropping a row does."""
    frame = pl.DataFrame(rows, schema={"a": pl.Int64, "b": pl.String}, orient="row")
    pieces = pl.concat([frame.slice(index, 1) for index in range(frame.height)], rechunk=False)

    assert content_digest(pieces) == content_digest(frame)
    assert content_digest(frame.slice(1)) != content_digest(frame)


def test_an_unknown_version_is_an_error_of_state(workspace: Workspace) -> None:
    """A version that was never stored cannot be loaded."""
    with pytest.raises(StateError, match="no data set version of this id"):
        load_version("0" * 12, workspace)


def test_damage_is_found(workspace: Workspace) -> None:
    """A record cut short and rows that were changed are both refused."""
    record = store_version(FRAME, "a.csv", workspace)
    rows = workspace.objects.path(record.object_digest)
    rows.chmod(0o600)
    rows.write_bytes(rows.read_bytes()[:-5] + b"?????")

    with pytest.raises(IntegrityError):
        load_version(record.id, workspace)

    path: Path = workspace.folder("datasets", record.id) / "dataset.json"
    path.write_text(path.read_text()[:40])
    with pytest.raises(IntegrityError, match="record of a data set version is damaged"):
        load_version(record.id, workspace)
