import datetime as dt
from pathlib import Path

import polars as pl
import pytest

from modelyard.core import DataError
from modelyard.data import Column, ColumnKind, Schema, category_text, conform, infer_schema, read_table

ROWS = 200


def kind(values: pl.Series) -> ColumnKind:
    """The inferred kind of one column."""
    return infer_schema(values.to_frame()).columns[0].kind


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pl.Series("flag", [True, False]), ColumnKind.BOOLEAN),
        (pl.Series("day", [dt.date(2024, 1, 1)]), ColumnKind.DATE),
        (pl.Series("age", [3, 1, 2]), ColumnKind.NUMERIC),
        (pl.Series("SeniorCitizen", [0, 1] * 100), ColumnKind.NUMERIC),
        (pl.Series("row_order", range(ROWS)), ColumnKind.IDENTIFIER),
        (pl.Series("anything", range(5, 5 + ROWS)), ColumnKind.IDENTIFIER),
        (pl.Series("customer_id", [10, 20, 500]), ColumnKind.IDENTIFIER),
        (pl.Series("level", [index**2 for index in range(ROWS)]), ColumnKind.NUMERIC),
        (pl.Series("x", [float(index) for index in range(ROWS)]), ColumnKind.NUMERIC),
        (pl.Series("customer", [f"C-{index}" for index in range(ROWS)]), ColumnKind.IDENTIFIER),
        (pl.Series("colour", ["red", "green"] * 100), ColumnKind.CATEGORY),
        (pl.Series("colour", ["red", "green"]), ColumnKind.CATEGORY),
        (
            pl.Series("review", [f"a review of forty characters or more, number {i}" for i in range(ROWS)]),
            ColumnKind.TEXT,
        ),
        (pl.Series("phrase", ["one of a few long phrases"] * ROWS), ColumnKind.CATEGORY),
        (pl.Series("empty", [None, None], dtype=pl.String), ColumnKind.CATEGORY),
    ],
)
def test_kinds_follow_the_stated_rules(values: pl.Series, expected: ColumnKind) -> None:
    """Each rule of infer_schema decides as its docstring says."""
    assert kind(values) is expected


def test_an_override_wins() -> None:
    """What the project file says about a column holds, whatever the values look like."""
    schema = infer_schema(pl.DataFrame({"zip": [1, 2], "b": ["x", "y"]}), {"zip": "category", "unknown": "date"})

    assert [column.kind for column in schema.columns] == [ColumnKind.CATEGORY, ColumnKind.CATEGORY]


def test_a_column_without_values_is_marked() -> None:
    """The stored type of a column that is missing throughout is Null, so that nobody learns from it."""
    schema = infer_schema(pl.DataFrame({"a": [None, None], "b": [1, None]}, schema={"a": pl.String, "b": pl.Int64}))

    assert schema.columns == (
        Column("a", ColumnKind.CATEGORY, "Null", nullable=True),
        Column("b", ColumnKind.NUMERIC, "Int64", nullable=True),
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("telco_churn", {"customerID": "identifier"}),
        ("bank_additional", {"row_order": "identifier"}),
        ("bike_sharing_hourly", {"instant": "identifier", "timestamp": "date"}),
        ("electricity_elec2", {"row_order": "identifier"}),
        ("parkinsons_telemonitoring", {}),
        ("sms_spam", {"text": "text"}),
        ("adult_census", {}),
    ],
)
def test_kinds_of_real_tables(data_folder: Path, name: str, expected: dict[str, str]) -> None:
    """On the real tables, all that is neither number nor category is found, and nothing else."""
    schema = infer_schema(read_table(data_folder / f"{name}.parquet"))
    plain = (ColumnKind.NUMERIC, ColumnKind.CATEGORY)

    assert {column.name: column.kind.value for column in schema.columns if column.kind not in plain} == expected


def test_an_absent_column_is_named_with_its_neighbour() -> None:
    """Asking for a column that is not there names the nearest."""
    with pytest.raises(DataError, match="Did you mean 'tenure'"):
        Schema((Column("tenure", ColumnKind.NUMERIC, "Int64", nullable=False),)).column("tenur")


def test_a_schema_survives_json() -> None:
    """A schema read from its dictionary equals the one written."""
    schema = infer_schema(pl.DataFrame({"a": [1, None], "b": ["x", "y"]}))

    assert Schema.from_dict(schema.to_dict()) == schema


def test_conform_stores_values_as_their_kinds_say() -> None:
    """Numbers in words, codes in numbers, dates in words: all become what training saw; what does not fit is null."""
    schema = Schema(
        (
            Column("n", ColumnKind.NUMERIC, "Float64", nullable=False),
            Column("c", ColumnKind.CATEGORY, "String", nullable=False),
            Column("b", ColumnKind.BOOLEAN, "Boolean", nullable=False),
            Column("d", ColumnKind.DATE, "Date", nullable=False),
            Column("absent", ColumnKind.NUMERIC, "Int64", nullable=False),
        )
    )
    frame = pl.DataFrame(
        {"d": ["2024-01-02", "x"], "b": ["Yes", "0"], "c": [3.0, 4.0], "n": [" 1.5", "x"], "more": [1, 2]}
    )

    assert conform(frame, schema).to_dict(as_series=False) == {
        "n": [1.5, None],
        "c": ["3", "4"],
        "b": [True, False],
        "d": [dt.date(2024, 1, 2), None],
    }


def test_text_of_categories_is_one_for_all_number_types() -> None:
    """The category 3 is the same whether it was stored as an integer, a float or text."""
    for values in ([3, None], [3.0, None], ["3", None]):
        assert category_text(pl.Series(values)).to_list() == ["3", None]
    assert category_text(pl.Series([0.5, 2.0])).to_list() == ["0.5", "2"]
    assert category_text(pl.Series([True, False])).to_list() == ["true", "false"]
