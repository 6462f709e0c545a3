from pathlib import Path

import polars as pl
import pytest

from modelyard.core import DataError
from modelyard.data import Suggestion, read_table, suggest
from modelyard.problem import Task


@pytest.mark.parametrize(
    ("name", "target", "expected"),
    [
        ("telco_churn", "Churn", (Task.BINARY, "Yes", "customerID", None, None)),
        ("bank_additional", "y", (Task.BINARY, "yes", None, "row_order", None)),
        ("bike_sharing_hourly", "cnt", (Task.REGRESSION, None, "instant", "timestamp", None)),
        ("parkinsons_telemonitoring", "total_UPDRS", (Task.REGRESSION, None, None, None, "subject")),
        ("adult_census", "income", (Task.BINARY, ">50K", None, None, None)),
        ("electricity_elec2", "price_up", (Task.BINARY, "1", None, "row_order", None)),
        ("sms_spam", "label", (Task.BINARY, "spam", None, None, None)),
    ],
)
def test_real_tables_are_understood(
    data_folder: Path, name: str, target: str, expected: tuple[Task, str | None, str | None, str | None, str | None]
) -> None:
    """Task, positive class, identifier, time and group of the real tables are found, each with a reason."""
    found = suggest(read_table(data_folder / f"{name}.parquet"), target)

    assert (found.task, found.positive, found.id, found.time, found.group) == expected
    for field in ("task", "positive", "id", "time", "group", "exclude", "segments", "protected"):
        assert bool(getattr(found, field)) == (field in found.because)
    assert Suggestion.from_dict(found.to_dict()) == found


def test_protected_columns_and_segments(data_folder: Path) -> None:
    """Sex and race are seen by name; segments are categories of a few sizeable levels."""
    census = suggest(read_table(data_folder / "adult_census.parquet"), "income")
    churn = suggest(read_table(data_folder / "telco_churn.parquet"), "Churn")

    assert {"sex", "race", "age"} <= set(census.protected)
    assert census.exclude == {
        "uci_split": "it says which part of an earlier split the row belonged to (see split.column)"
    }
    assert churn.protected == ("gender", "SeniorCitizen")
    assert 1 <= len(churn.segments) <= 4
    assert set(churn.segments).isdisjoint(churn.protected)


def test_useless_columns_are_excluded_with_a_reason() -> None:
    """A constant, an empty column and a second identifier are named with what is wrong with them."""
    rows = 60
    frame = pl.DataFrame(
        {
            "id": [f"A{index}" for index in range(rows)],
            "serial": [f"B{index}" for index in range(rows)],
            "country": ["NL"] * rows,
            "empty": [None] * rows,
            "x": [index % 7 * 1.5 for index in range(rows)],
            "y": [index % 3 * 1.7 for index in range(rows)],
        }
    )

    assert suggest(frame, "y").exclude == {
        "serial": "almost every row has its own value",
        "country": "the same value in every row",
        "empty": "no value in any row",
    }


@pytest.mark.parametrize(
    ("name", "values", "found"),
    [
        ("patient", [index // 4 for index in range(80)], True),
        ("customer_id", [index % 20 for index in range(80)], True),
        ("customer_age", [20 + index % 20 for index in range(80)], False),
        ("shelf", [index // 4 for index in range(80)], False),
        ("patient", list(range(80)), False),
        ("user", [index % 2 for index in range(80)], False),
        ("company", [max(0, index - 45) // 3 for index in range(80)], False),
        ("company", [max(0, index - 30) // 3 for index in range(80)], True),
    ],
)
def test_groups_are_entities_with_several_rows(name: str, values: list[int], found: bool) -> None:
    """A name that speaks of entities and several rows each make a group; an attribute of one does not."""
    frame = pl.DataFrame({name: values, "y": [index * 0.37 for index in range(80)]})

    assert (suggest(frame, "y").group == name) is found


def test_birthdays_are_no_time() -> None:
    """A date that describes a person does not order the rows."""
    days = pl.date_range(pl.date(1980, 1, 1), pl.date(1980, 3, 20), eager=True)
    frame = pl.DataFrame({"birth_date": days, "y": [index * 0.37 for index in range(len(days))]})

    assert suggest(frame, "y").time is None
    assert suggest(frame.rename({"birth_date": "date"}), "y").time == "date"


def test_an_absent_target_is_an_error() -> None:
    """The nearest column is named."""
    with pytest.raises(DataError, match="Did you mean 'churn'"):
        suggest(pl.DataFrame({"churn": [1], "x": [2]}), "chrun")
