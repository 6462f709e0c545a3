import datetime as dt
import io
import sys
from pathlib import Path

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import ConfigError, DataError, MissingExtraError
from modelyard.data import read_source, read_table
from modelyard.data.readers import Certainty, Raw, Source, readers
from modelyard.data.readers.columnar import ParquetReader
from modelyard.data.readers.flattening import flatten
from modelyard.data.readers.numerals import with_plain_numerals

FRAME = pl.DataFrame({"a": [1, 2], "b": ["x", None], "d": [dt.date(2026, 1, 2), None]})


def test_every_reader_keeps_the_protocol() -> None:
    """Names are unique, each says what it reads, and none takes an address that nobody knows."""
    names = [reader.name for reader in readers()]

    assert len(set(names)) == len(names) >= 9
    assert all(reader.reads for reader in readers())
    assert {reader.recognises(Source("nobody://knows/this.csv")) for reader in readers()} == {Certainty.NO}


# --- Arrow --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.arrow", "t.feather", "t.unknown"])
@pytest.mark.parametrize("stream", [False, True])
def test_arrow_files_and_streams(tmp_path: Path, name: str, stream: bool) -> None:
    """Both forms are read under any ending, since their first bytes tell them apart."""
    path = tmp_path / name
    FRAME.write_ipc_stream(path) if stream else FRAME.write_ipc(path, compression="zstd")

    table = read_source(path)

    assert table.frame.equals(FRAME)
    assert table.notes == ()


def test_a_stream_without_its_end_is_read_with_a_doubt(tmp_path: Path) -> None:
    """The format allows a stream to end without its mark; a note says that it may have been interrupted."""
    buffer = io.BytesIO()
    FRAME.write_ipc_stream(buffer)
    (tmp_path / "t.arrow").write_bytes(buffer.getvalue()[:-8])

    table = read_source(tmp_path / "t.arrow")

    assert table.frame.height == 2
    assert table.notes == ("the stream has no end mark: whoever wrote it may have been interrupted",)


def test_arrow_cut_short_is_refused(tmp_path: Path, data_folder: Path) -> None:
    """Half a real file and half a real stream are damaged."""
    real = read_table(data_folder / "telco_churn.parquet")
    real.write_ipc(tmp_path / "file.arrow")
    real.write_ipc_stream(tmp_path / "stream.arrow")

    for name in ("file.arrow", "stream.arrow"):
        whole = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(whole[: len(whole) // 2])
        with pytest.raises(DataError, match=r"the Arrow (file|stream) is damaged"):
            read_table(tmp_path / name)


# --- workbooks ----------------------------------------------------------------------------------------------------


def workbook(path: Path, sheets: dict[str, pl.DataFrame]) -> Path:
    """A workbook with these sheets."""
    import xlsxwriter

    with xlsxwriter.Workbook(path) as book:
        for name, frame in sheets.items():
            sheet = book.add_worksheet(name)
            if frame.width:
                frame.write_excel(book, sheet)
    return path


def test_the_first_sheet_with_rows_is_read_and_named(tmp_path: Path) -> None:
    """Without a word on it, an empty cover sheet is passed over, and the note says what was read and what not."""
    path = workbook(tmp_path / "t.xlsx", {"Deckblatt": pl.DataFrame(), "Kunden": FRAME, "Preise": FRAME.head(1)})

    table = read_source(path)

    assert table.frame.equals(FRAME)
    assert table.notes == ("read from the sheet 'Kunden'; left out: 'Deckblatt', 'Preise'",)
    assert read_source(path, sheet="Preise").frame.height == 1


def test_sheets_that_are_not_there(tmp_path: Path) -> None:
    """A misspelt sheet is met with the nearest; a sheet of a CSV file is refused; an empty workbook has no rows."""
    path = workbook(tmp_path / "t.xlsx", {"Kunden": FRAME})
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")

    with pytest.raises(DataError, match=r"no such sheet; got 'Kunde'\. Did you mean 'Kunden'\?"):
        read_source(path, sheet="Kunde")
    with pytest.raises(ConfigError, match="only a workbook has sheets"):
        read_source(tmp_path / "t.csv", sheet="Kunden")
    with pytest.raises(DataError, match="the table has no rows"):
        read_source(workbook(tmp_path / "e.xlsx", {"Leer": pl.DataFrame()}))


def test_a_header_with_equal_names_is_refused(tmp_path: Path) -> None:
    """The library would rename the second column without a word."""
    import xlsxwriter

    with xlsxwriter.Workbook(tmp_path / "t.xlsx") as book:
        sheet = book.add_worksheet("S")
        sheet.write_row(0, 0, ["a", "b", "a"])
        sheet.write_row(1, 0, [1, 2, 3])

    with pytest.raises(DataError, match="column names occur more than once; got 'a'"):
        read_table(tmp_path / "t.xlsx")


def test_a_workbook_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the library, the sentence says what to install."""
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    path = workbook(tmp_path / "t.xlsx", {"S": FRAME})

    with pytest.raises(MissingExtraError, match=r"pip install 'modelyard\[excel\]'"):
        read_table(path)


# --- folders ------------------------------------------------------------------------------------------------------


def test_hive_partitions_become_columns(tmp_path: Path) -> None:
    """Folders named key=value give typed columns; hidden files and marks of completion are left out."""
    for year, city in ((2024, "Ulm"), (2025, "Bad%20Urach"), (2025, "__HIVE_DEFAULT_PARTITION__")):
        folder = tmp_path / f"year={year}" / f"city={city}"
        folder.mkdir(parents=True)
        FRAME.head(1).write_parquet(folder / "part-0.parquet")
        (folder / ".part-0.parquet.crc").write_text("x")
    (tmp_path / "_SUCCESS").touch()

    table = read_source(tmp_path)

    assert table.frame.columns == ["a", "b", "d", "year", "city"]
    assert table.frame.select("year", "city").rows() == [(2024, "Ulm"), (2025, "Bad Urach"), (2025, None)]
    assert table.notes == ("3 parts were read in the order of their names; folders give the columns 'year', 'city'",)


def test_delimited_parts_are_typed_together(tmp_path: Path) -> None:
    """A column that looks like numbers in one part only is text in the whole table."""
    (tmp_path / "1.csv").write_text("a;b\n1;1,5\n2;2,5\n")
    (tmp_path / "2.csv").write_text("b;a\n3,5;x\n4,5;y\n")

    table = read_source(tmp_path)

    assert table.frame.to_dict(as_series=False) == {"a": ["1", "2", "x", "y"], "b": [1.5, 2.5, 3.5, 4.5]}


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"readme.md": "hello"}, "the folder holds no table; got no file that ends in .csv, .parquet, .pq, .tsv"),
        (
            {"1.csv": "a,b\n1,2\n", "2.csv": "a,c\n1,2\n"},
            "'2.csv' has other columns than '1.csv'; got lacks 'b' and has",
        ),
        ({"1.csv": "a,b\n1,2\n", "2.tsv": "a\tb\n1\t2\n"}, "files of different formats; got .csv, .tsv"),
        ({"y=1/1.csv": "a,b\n1,2\n", "z=1/1.csv": "a,b\n1,2\n"}, "lies in other partitions than the first part; got z"),
        ({"1.csv": "a,b\n1,2\n", "2.csv": "a,b\n1,2,3\n"}, "2.csv: line 2 has 3 cells"),
    ],
)
def test_folders_that_are_no_table(tmp_path: Path, files: dict[str, str], sentence: str) -> None:
    """No table, other columns, other formats, other partitions, a bad part: each has its sentence and its cure."""
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)

    with pytest.raises(DataError) as caught:
        read_table(tmp_path)

    assert sentence in caught.value.sentence
    assert caught.value.cure


def test_parts_of_different_types_are_named(tmp_path: Path) -> None:
    """Narrow and wide numbers are joined; numbers and words in one column are not."""
    FRAME.with_columns(pl.col("a").cast(pl.Int8)).write_parquet(tmp_path / "1.parquet")
    FRAME.with_columns(pl.col("a").cast(pl.Float32)).write_parquet(tmp_path / "2.parquet")
    assert read_table(tmp_path)["a"].to_list() == [1, 2, 1, 2]

    FRAME.with_columns(pl.lit(dt.date(2026, 1, 1)).alias("a")).write_parquet(tmp_path / "3.parquet")
    with pytest.raises(DataError, match=r"column 'a' is Int8 in '1\.parquet' and"):
        read_table(tmp_path)


# --- sources that change ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_source_that_changes_while_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole_folder: bool
) -> None:
    """Rows are thrown away if the file, or any part of a folder, was written again in the meantime."""
    path = tmp_path / "t.parquet"
    FRAME.write_parquet(path)
    reading = ParquetReader.read

    def slow(self: ParquetReader, source: Source) -> Raw:
        raw = reading(self, source)
        pl.concat([FRAME, FRAME]).write_parquet(path)
        return raw

    monkeypatch.setattr(ParquetReader, "read", slow)
    with pytest.raises(DataError, match=r"the source changed while it was read\. Wait until"):
        read_source(tmp_path if whole_folder else path)


# --- text ---------------------------------------------------------------------------------------------------------


def test_nested_json_is_flattened_and_noted(tmp_path: Path) -> None:
    """Records become columns with dotted names; lists become their text."""
    path = tmp_path / "t.jsonl"
    path.write_text('{"id": 1, "home": {"city": "Ulm", "geo": {"lat": 48.4}}, "tags": ["a"]}\n{"id": 2, "home": {}}\n')

    table = read_source(path)

    assert table.frame.select("id", "home.city", "home.geo.lat", "tags").rows() == [
        (1, "Ulm", 48.4, '["a"]'),
        (2, None, None, None),
    ]
    assert "home" not in table.frame.columns
    assert table.notes == (
        "nested fields became columns with dotted names: 'home.city', 'home.geo.lat'",
        "lists became their JSON text: 'tags'",
    )


@given(
    st.recursive(
        st.none() | st.integers() | st.text(max_size=3),
        lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
        max_leaves=8,
    )
)
@settings(max_examples=60, deadline=None)
def test_flattening_keeps_every_value(value: object) -> None:
    """Every single value of a nested record is a cell under the path that led to it."""
    expected: dict[str, object] = {}

    def walk(name: str, inside: object) -> None:
        if isinstance(inside, dict):
            for key, item in inside.items():
                walk(f"{name}.{key}", item)
        else:
            expected[name] = inside

    walk("x", value)
    flat = flatten([{"x": value}], "a test")[0][0]

    assert {name: cell for name, cell in flat.items() if cell is not None} == {
        name: cell for name, cell in expected.items() if cell is not None
    }


@pytest.mark.parametrize(
    ("cells", "delimiter", "expected", "note"),
    [
        (["1.234,50", "12,5", "7"], ";", ["1234.50", "12.5", "7"], "marks between thousands were left out in 'n'"),
        (["1,234.50", "12.5", "7"], ",", ["1234.50", "12.5", "7"], "marks between thousands were left out in 'n'"),
        (["1.234.567", "7"], ",", ["1234567", "7"], "marks between thousands were left out in 'n'"),
        (["1'234.5", "7"], ",", ["1234.5", "7"], "marks between thousands were left out in 'n'"),
        (["1\u00a0234,5", "7"], ";", ["1234.5", "7"], "marks between thousands were left out in 'n'"),
        (["12,5", "-0,25"], ",", ["12.5", "-0.25"], "a decimal comma was read as a point in 'n'"),
        (["1,234", "5,678"], ",", ["1234", "5678"], "in two ways: '1,234' was read as 1234"),
        (["1,234", "5,678"], ";", ["1.234", "5.678"], "in two ways: '1,234' was read as 1.234"),
        (["1.234", "5.678"], ";", ["1.234", "5.678"], ""),
        (["030 123 456", "089 765 432"], ";", ["030 123 456", "089 765 432"], ""),
        (["01.03.2024", "29.02.2024"], ";", ["01.03.2024", "29.02.2024"], ""),
        (["a, b", "c"], ",", ["a, b", "c"], ""),
    ],
)
def test_numbers_as_people_write_them(cells: list[str], delimiter: str, expected: list[str], note: str) -> None:
    """Decimal commas and marks between thousands are read by column; what could be either is said."""
    frame, notes = with_plain_numerals(pl.DataFrame({"n": cells}), delimiter=delimiter)

    assert frame["n"].to_list() == expected
    assert (note in " ".join(notes)) if note else notes == ()


def test_a_doubtful_column_follows_the_clear_ones() -> None:
    """1,234 is a thousand beside 5,678.90, and a little more than one beside 5,6."""
    doubtful = ["1,234", "2,345"]

    english, _ = with_plain_numerals(pl.DataFrame({"n": doubtful, "m": ["5,678.90", "1.5"]}), delimiter=";")
    european, _ = with_plain_numerals(pl.DataFrame({"n": doubtful, "m": ["5,6", "7"]}), delimiter=",")

    assert english["n"].to_list() == ["1234", "2345"]
    assert european["n"].to_list() == ["1.234", "2.345"]


def test_single_quotes_are_found_and_said(tmp_path: Path) -> None:
    """Cells in single quotes may hold the delimiter; an apostrophe in a word changes nothing."""
    (tmp_path / "q.csv").write_text("a,b\n'x, y',1\n'z',2\n")
    (tmp_path / "w.csv").write_text("a,b\nd'Arc,1\nO'Hara,2\n")

    table = read_source(tmp_path / "q.csv")

    assert table.frame.rows() == [("x, y", 1), ("z", 2)]
    assert table.notes == ("cells are quoted with '",)
    assert read_source(tmp_path / "w.csv").frame["a"].to_list() == ["d'Arc", "O'Hara"]


def test_all_formats_hold_the_same_table(tmp_path: Path, data_folder: Path) -> None:
    """A real table comes back equal from CSV, JSON lines, Arrow, and a workbook."""
    real = read_table(data_folder / "telco_churn.parquet").head(500)
    real.write_csv(tmp_path / "t.csv", separator=";")
    real.write_ndjson(tmp_path / "t.jsonl")
    real.write_ipc(tmp_path / "t.arrow")
    workbook(tmp_path / "t.xlsx", {"S": real})

    for name in ("t.csv", "t.jsonl", "t.arrow", "t.xlsx"):
        assert read_table(tmp_path / name).equals(real), name


def test_pyarrow_tables_pass_the_door() -> None:
    """A frame in memory needs no reader."""
    assert read_source(pa.table({"a": [1]})).frame.rows() == [(1,)]
