"""Large tables wait in files: what comes out is, byte for byte, what comes out of memory."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from modelyard.core import DataError
from modelyard.core.actor import Actor, ActorSource
from modelyard.data import Table, enter_source, make_split, open_source, open_version, version_record
from modelyard.data.readers import delimited
from modelyard.data.splits import split as split_module
from modelyard.problem import Problem
from modelyard.store import Workspace

ADA = Actor("ada", ActorSource.OS_USER)


@pytest.fixture
def all_is_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every table is treated as too large for memory."""
    monkeypatch.setattr("modelyard.data.read.SPOOL_CELLS", 0)
    monkeypatch.setattr(split_module, "SPOOL_CELLS", 0)
    monkeypatch.setattr(delimited, "_LARGE_BYTES", 0)


def written(folder: Path, data_folder: Path, form: str) -> Path:
    """The churn table as a file of one form."""
    frame = pl.read_parquet(data_folder / "telco_churn.parquet")
    path = folder / f"churn-{form}"
    if form == "folder":
        for part in range(3):
            (path / f"part={part}").mkdir(parents=True)
            frame.slice(2_000 * part, 2_000).write_csv(path / f"part={part}" / "rows.csv")
        return path
    text = {"csv": ",", "cp1252": ";", "utf-16": "\t", "decimal": ";"}
    if form in text:
        renamed = frame.rename({"gender": "geschlecht-ä"})
        content = renamed.write_csv(separator=text[form], decimal_comma=form == "decimal")
        path = path.with_suffix(".csv")
        path.write_bytes(content.encode({"csv": "utf-8-sig", "decimal": "utf-8"}.get(form, form)))
        return path
    path = path.with_suffix(f".{form}")
    frame.write_parquet(path) if form == "parquet" else frame.write_ipc(path)
    return path


@pytest.mark.parametrize("form", ["parquet", "arrow", "csv", "cp1252", "utf-16", "decimal", "folder"])
def test_reading_in_files_gives_what_reading_in_memory_gives(
    form: str, tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Values, types and notes are the same for each kind of source that can be read in pieces."""
    source = written(tmp_path, data_folder, form)
    small = open_source(source)
    monkeypatch.setattr("modelyard.data.read.SPOOL_CELLS", 0)
    monkeypatch.setattr(delimited, "_LARGE_BYTES", 0)
    large = open_source(source, scratch=tmp_path / "scratch")

    assert large.notes == small.notes
    assert large.frame.equals(small.frame)
    assert large.frame.schema == small.frame.schema
    assert any((tmp_path / "scratch" / "plain").iterdir())


def entered(root: Path, source: Path, **settings: Any) -> tuple[str, dict[str, Any], dict[str, bytes]]:
    """The object of the version, the record of the split and the bytes of its parts."""
    workspace = Workspace(root)
    problem = Problem.model_validate({"data": {"source": str(source), "target": "Churn"}, **settings})
    version = enter_source(problem, workspace)
    split = make_split(open_version(version.id, workspace), problem, workspace, ADA)
    folder = workspace.folder("splits", split.record.id)
    parts = {path.name: path.read_bytes() for path in folder.glob("*.parquet")}
    assert not (workspace.state / "scratch").exists()
    return version.object_digest, split.record.to_dict(), parts


@pytest.mark.parametrize("strategy", ["stratified", "random"])
def test_a_split_in_files_is_the_split_in_memory(
    strategy: str, tmp_path: Path, data_folder: Path, request: pytest.FixtureRequest
) -> None:
    """The stored version, the sealed part's digest, the findings and the bytes of the parts do not depend on size."""
    source = data_folder / "telco_churn.parquet"
    small = entered(tmp_path / "small", source, split={"strategy": strategy})
    request.getfixturevalue("all_is_large")
    large = entered(tmp_path / "large", source, split={"strategy": strategy})

    assert large == small


@pytest.mark.usefixtures("all_is_large")
def test_a_large_file_names_the_line_that_is_too_short(tmp_path: Path) -> None:
    """The slow look at each line reads the file, not memory, and finds what the fast one missed."""
    source = tmp_path / "t.csv"
    source.write_text("a,b,c\n" + "1,2,3\n" * 50 + "4,5\n" + "6,7,\n")

    with pytest.raises(DataError, match="line 52 has 2 cells where the header has 3 cells"):
        open_source(source, scratch=tmp_path / "scratch")


def test_empty_last_cells_are_no_short_lines(tmp_path: Path) -> None:
    """A last column with gaps, quoted or not, is read as it stands."""
    for name, text in (("plain", "a,b\n1,\n2,3\n"), ("quoted", 'a,b\n"1",\n2,"3"\n')):
        source = tmp_path / f"{name}.csv"
        source.write_text(text)
        assert open_source(source).frame.rows() == [(1, None), (2, 3)]


@pytest.mark.usefixtures("all_is_large")
def test_a_file_damaged_in_its_middle_is_refused(tmp_path: Path, data_folder: Path) -> None:
    """A footer may be whole while a page is not; the column is named."""
    source = tmp_path / "t.parquet"
    pl.read_parquet(data_folder / "telco_churn.parquet").write_parquet(source, compression="zstd")
    raw = bytearray(source.read_bytes())
    raw[2_000:40_000] = bytes(38_000)
    source.write_bytes(raw)

    with pytest.raises(DataError, match=r"the file is damaged; got column"):
        open_source(source, scratch=tmp_path / "scratch")


def test_a_file_that_entered_before_is_not_read_again(tmp_path: Path, data_folder: Path) -> None:
    """The same bytes give the same version at once, even where the text in them could not be read any more."""
    source = tmp_path / "t.csv"
    pl.read_parquet(data_folder / "telco_churn.parquet").head(200).write_csv(source)
    workspace = Workspace(tmp_path / "project")
    problem = Problem.model_validate({"data": {"source": str(source), "target": "Churn"}})
    first = enter_source(problem, workspace)
    stored = workspace.folder("datasets", first.id) / "dataset.json"
    stamp = stored.stat().st_mtime_ns

    assert enter_source(problem, workspace) == first == version_record(first.id, workspace)
    source.write_text(source.read_text() + source.read_text().splitlines()[1] + "\n")
    other = enter_source(problem, workspace)
    assert other.rows == first.rows + 1
    assert stored.stat().st_mtime_ns == stamp


def test_a_table_gives_columns_and_keeps_its_order(tmp_path: Path) -> None:
    """What a table over a file gives is what the frame gave."""
    frame = pl.DataFrame({"a": range(600_000), "b": ["x", None, "y"] * 200_000})
    Table(frame).write(tmp_path / "t.parquet")
    table = Table(pl.scan_parquet(tmp_path / "t.parquet"))

    assert (table.columns, table.height, table.cells) == (["a", "b"], 600_000, 1_200_000)
    assert table.frame().equals(frame)
    assert table["b"].equals(frame["b"])
    assert table.row_hashes(["a", "b"]).to_list() == frame.hash_rows(seed=0).to_list()
