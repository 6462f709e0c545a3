import datetime as dt
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from modelyard.core import DataError
from modelyard.data import read_source, read_table


def write(folder: Path, name: str, content: bytes | str) -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path: Path, delimiter: str) -> None:
    """Cells may be separated by comma, semicolon, tab or bar."""
    path = write(tmp_path, "table.csv", f"a{delimiter}b\n1{delimiter}x\n2{delimiter}y\n")

    assert read_table(path).to_dict(as_series=False) == {"a": [1, 2], "b": ["x", "y"]}


@pytest.mark.parametrize(
    ("encoding", "said"),
    [("utf-8", ""), ("utf-8-sig", ""), ("cp1252", "cp1252"), ("utf-16", "utf-16"), ("utf-16-le", "utf-16-le")],
)
def test_the_encoding_is_found_and_said(tmp_path: Path, encoding: str, said: str) -> None:
    """A file that is not UTF-8 is read all the same, and a note names the encoding."""
    path = write(tmp_path, "table.csv", "größe,name\n1,Müller\n2,Jürg\n".encode(encoding))

    table = read_source(path)

    assert table.frame["name"].to_list() == ["Müller", "Jürg"]
    assert table.frame.columns == ["größe", "name"]
    assert table.notes == ((f"read as {said}, since it is not UTF-8",) if said else ())


def test_a_byte_without_meaning_in_windows_is_latin(tmp_path: Path) -> None:
    """Windows-1252 has five holes; a file with one of them is Latin-1."""
    table = read_source(write(tmp_path, "table.csv", b"a,b\n\x81\xe9,1\n"))

    assert table.frame["a"].to_list() == ["\x81é"]
    assert table.notes == ("read as latin-1, since it is not UTF-8",)


def test_decimal_commas_are_read(tmp_path: Path) -> None:
    """In a file with semicolons, 1,5 is a number."""
    table = read_source(write(tmp_path, "table.csv", "price;word\n1,5;a,b\n-2;c\n"))

    assert table.frame.to_dict(as_series=False) == {"price": [1.5, -2.0], "word": ["a,b", "c"]}
    assert "decimal comma" in table.notes[1]


def test_blanks_are_missing_and_the_rest_are_numbers(tmp_path: Path) -> None:
    """A blank cell in a column of numbers is a missing number, as in the raw churn data."""
    table = read_source(write(tmp_path, "table.csv", 'TotalCharges,b\n29.85,x\n" ",y\n,z\n'))

    assert table.frame["TotalCharges"].to_list() == [29.85, None, None]
    assert table.notes == ()


def test_words_for_missing_are_missing_among_numbers_only(tmp_path: Path) -> None:
    """NA is missing in a column of numbers, and a word like any other in a column of words."""
    table = read_source(write(tmp_path, "table.csv", "n,w\n1,NA\nNA,x\n3,y\n"))

    assert table.frame.to_dict(as_series=False) == {"n": [1, None, 3], "w": ["NA", "x", "y"]}
    assert table.notes == ("column 'n': read as numbers; values that became missing: 1, such as 'NA'",)


@pytest.mark.parametrize(("strange", "is_number"), [(1, True), (3, False)])
def test_a_column_is_numbers_if_99_percent_are(tmp_path: Path, strange: int, is_number: bool) -> None:
    """One odd word in 200 becomes missing, and is noted; three in 200 make the column words."""
    cells = ["7"] * (200 - strange) + ["oops"] * strange
    table = read_source(write(tmp_path, "table.csv", "a,b\n" + "".join(f"{cell},x\n" for cell in cells)))

    assert table.frame["a"].dtype == (pl.Int64 if is_number else pl.String)
    assert table.frame["a"].null_count() == (1 if is_number else 0)
    assert len(table.notes) == (1 if is_number else 0)


def test_codes_with_leading_zeros_stay_text(tmp_path: Path) -> None:
    """007 is a code; as a number it would lose its zeros."""
    assert read_table(write(tmp_path, "t.csv", "zip,n\n007,0\n012,0.5\n"))["zip"].to_list() == ["007", "012"]


def test_infinities_become_missing_and_are_noted(tmp_path: Path) -> None:
    """An infinite number means nothing to a model."""
    table = read_source(pl.DataFrame({"a": [1.0, float("inf"), float("nan")]}))

    assert table.frame["a"].to_list() == [1.0, None, None]
    assert table.notes == ("column 'a': infinite values read as missing: 1",)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (["2024-02-29", "2024-03-01"], [dt.date(2024, 2, 29), dt.date(2024, 3, 1)]),
        (
            ["2024-02-29T10:00:00Z", "2024-02-29 11:30"],
            [dt.datetime.fromisoformat("2024-02-29T10:00"), dt.datetime.fromisoformat("2024-02-29T11:30")],
        ),
        (
            ["2024-02-29T10:00:00+02:00", "2024-02-29"],
            [dt.datetime.fromisoformat("2024-02-29T08:00"), dt.datetime.fromisoformat("2024-02-29T00:00")],
        ),
        (
            ["2024-02-29T10:00:00.5-05:30", "2024-02-29 00:00:00"],
            [
                dt.datetime.fromisoformat("2024-02-29T15:30:00.500000"),
                dt.datetime.fromisoformat("2024-02-29T00:00"),
            ],
        ),
        (["29.02.2024", "01.03.2024"], ["29.02.2024", "01.03.2024"]),
    ],
)
def test_iso_dates_are_read(tmp_path: Path, cells: list[str], expected: list[object]) -> None:
    """ISO 8601 dates and moments become dates and moments in UTC; other ways of writing stay text."""
    assert read_table(write(tmp_path, "t.csv", "d,n\n" + "".join(f"{c},1\n" for c in cells)))["d"].to_list() == expected


def test_quoted_cells_may_hold_lines_and_delimiters(tmp_path: Path) -> None:
    """Quotes protect line ends and commas."""
    path = write(tmp_path, "t.csv", 'a,b\r\n"x\ny, ""z""",2\r\n')

    assert read_table(path).to_dict(as_series=False) == {"a": ['x\ny, "z"'], "b": [2]}


def test_one_row_and_all_missing_columns_are_fine(tmp_path: Path) -> None:
    """A table may have a single row, and columns without any value or name."""
    table = read_table(write(tmp_path, "t.csv", "a,b,\n1,,\n"))

    assert table.to_dict(as_series=False) == {"a": [1], "b": [None], "column_3": [None]}


@pytest.mark.parametrize("name", ["t.json", "t.jsonl", "t.unknown"])
def test_json_in_any_spelling(tmp_path: Path, name: str) -> None:
    """Arrays of records and records by line give the same table; absent fields are missing."""
    array = '[{"a": 1, "b": "x"}, {"a": 2.5}]'
    lines = '{"a": 1, "b": "x"}\n\n{"a": 2.5}\n'

    table = read_table(write(tmp_path, name, array if name == "t.json" else lines))

    assert table.to_dict(as_series=False) == {"a": [1.0, 2.5], "b": ["x", None]}


def test_json_by_column_and_mixed_types(tmp_path: Path) -> None:
    """Columns of arrays are a table too; numbers among words are words."""
    path = write(tmp_path, "t.json", '{"a": [1, "x", true], "b": [true, false, null]}')

    assert read_table(path).to_dict(as_series=False) == {"a": ["1", "x", "true"], "b": [True, False, None]}


def test_frames_of_other_libraries_are_accepted() -> None:
    """pandas, Arrow, lazy and eager Polars give the same rows; types become plain."""
    expected = {"a": [1, 2], "b": ["x", None]}
    frames = [
        pd.DataFrame({"a": pd.Series([1, 2], dtype="int8"), "b": pd.Categorical(["x", None])}),
        pa.table({"a": [1, 2], "b": ["x", None]}),
        pl.LazyFrame({"a": [1, 2], "b": ["x", None]}),
        pl.DataFrame({"a": [1, 2], "b": ["x", None]}, schema={"a": pl.UInt8, "b": pl.Categorical}),
    ]

    for frame in frames:
        assert read_table(frame).to_dict(as_series=False) == expected
        assert read_table(frame).dtypes == [pl.Int64, pl.String]


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("e.csv", "", "the file is empty"),
        ("e.csv", "\n\n", "the file is empty"),
        ("h.csv", "a,b\n", "the table has no rows"),
        ("r.csv", "a,b\n1,2\n3,4,5\n", "line 3 has 3 cells where the header has 2 cells; got 3,4,5"),
        ("r.csv", "a,b\n1,2\n\n3\n4,5\n", "line 4 has 1 cell where the header has 2 cells; got 3"),
        ("d.csv", "a,b,a\n1,2,3\n", "column names occur more than once; got 'a'"),
        ("b.csv", bytes(range(256)) * 8, "the file is not text in a known encoding"),
        ("x.xlsx", b"PK\x03\x04rest", "the workbook cannot be read; got calamine error"),
        ("x.zip", b"PK\x03\x04rest", "the file is packed; got a zip archive"),
        ("x.csv.gz", b"\x1f\x8brest", "the file is packed; got a gzip file"),
        ("p.parquet", b"PAR1 and then nothing", "the Parquet file is damaged; got cut short"),
        ("p.parquet", b"a,b\n1,2\n", "the Parquet file is damaged; got not a Parquet file"),
        ("p.parquet", b"PAR1" + b"\0" * 40 + b"PAR1", "the Parquet file is damaged"),
        ("j.json", "[{]", "the file is not valid JSON; got line 1"),
        ("j.json", "3", "the JSON is not a table; got int"),
        ("j.json", '[{"a.b": 1, "a": {"b": 2}}]', "two fields come to the same column name; got 'a.b'"),
        ("j.json", "[" * 100_000, "the JSON is nested too deeply"),
        ("f.feather", b"FEA1 and then nothing", "the file is in the first version of Feather"),
        ("f.arrow", b"ARROW1\0\0 and then nothing", "the Arrow file is damaged; got cut short"),
        ("f.arrow", b"a,b\n1,2\n", "the Arrow file is damaged; got not an Arrow file"),
        ("j.json", '[{"a": 1, "a": 2}]', "column names occur more than once; got 'a'"),
        ("j.json", '{"a": [1], "b": [1, 2]}', "the columns have different lengths"),
        ("j.json", "[]", "the table has no rows"),
        ("l.jsonl", '{"a": 1}\n{"a":\n', "line 2 is not valid JSON"),
        ("l.jsonl", "[1]\n", "line 1 is not a record"),
    ],
)
def test_bad_files_are_one_sentence_with_a_cure(tmp_path: Path, name: str, content: bytes | str, sentence: str) -> None:
    """Each kind of bad file has a sentence of its own, and says what to do."""
    path = write(tmp_path, name, content)

    with pytest.raises(DataError) as caught:
        read_table(path)

    assert sentence in caught.value.sentence
    assert caught.value.cure
    assert "\n" not in caught.value.sentence


def test_a_truncated_parquet_file_is_named(tmp_path: Path, data_folder: Path) -> None:
    """Half a real Parquet file is refused as cut short."""
    whole = (data_folder / "telco_churn.parquet").read_bytes()
    path = write(tmp_path, "half.parquet", whole[: len(whole) // 2])

    with pytest.raises(DataError, match="damaged; got cut short"):
        read_table(path)


def test_paths_that_are_no_files(tmp_path: Path) -> None:
    """A misspelt name is told apart from what is no source at all, and the near file is named."""
    write(tmp_path, "table.csv", "a\n1\n")

    with pytest.raises(DataError, match=r"there is no such file\. Did you mean 'table\.csv'\?"):
        read_table(tmp_path / "table.parquet")
    with pytest.raises(DataError, match="neither a file nor a frame; got int"):
        read_table(3)


def test_frames_with_equal_names_or_nested_cells_are_refused() -> None:
    """A pandas frame may have two columns of one name; no table here may."""
    with pytest.raises(DataError, match="more than once"):
        read_table(pd.DataFrame([[1, 2]], columns=["a", "a"]))
    with pytest.raises(DataError, match=r"column 'a': the cells of a column are not single values; got List"):
        read_table(pl.DataFrame({"a": [[1]]}))
    with pytest.raises(DataError, match="has no rows"):
        read_table(pl.DataFrame())


@pytest.mark.parametrize("name", ["telco_churn", "bike_sharing_hourly", "sms_spam"])
def test_csv_and_parquet_hold_the_same_table(tmp_path: Path, data_folder: Path, name: str) -> None:
    """A real table written as CSV comes back equal to its Parquet file, types included."""
    table = read_table(data_folder / f"{name}.parquet")
    table.write_csv(tmp_path / "t.csv")

    assert read_table(tmp_path / "t.csv").equals(table)
    assert read_table(tmp_path / "t.csv").schema == table.schema
