import datetime as dt
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import DataError
from modelyard.data import (
    ColumnContract,
    ColumnKind,
    Contract,
    Dataset,
    Roles,
    assign_roles,
    derive_contract,
    infer_schema,
    read_table,
)
from modelyard.problem import Problem

TRAIN = pl.DataFrame(
    {
        "age": [20.0, 70.0, 45.0],
        "plan": ["a", "b", None],
        "paid": [True, False, True],
        "since": [dt.date(2020, 1, 1), dt.date(2021, 1, 1), None],
        "zip": ["1", "2", "1"],
    }
)
GOOD: dict[str, Any] = {"age": 30, "plan": "a", "paid": True, "since": "2022-02-02", "zip": "1"}


@pytest.fixture
def contract() -> Contract:
    """What three training rows allow."""
    roles = Roles("y", tuple(TRAIN.columns), None, None, None, {})
    return derive_contract(Dataset("v", TRAIN, infer_schema(TRAIN)), roles)


def test_a_contract_is_what_training_saw(contract: Contract) -> None:
    """Ranges, categories and gaps are those of the training rows, and survive JSON."""
    assert contract.columns == (
        ColumnContract("age", ColumnKind.NUMERIC, nullable=False, low=20.0, high=70.0),
        ColumnContract("plan", ColumnKind.CATEGORY, nullable=True, categories=("a", "b")),
        ColumnContract("paid", ColumnKind.BOOLEAN, nullable=False),
        ColumnContract("since", ColumnKind.DATE, nullable=True),
        ColumnContract("zip", ColumnKind.CATEGORY, nullable=False, categories=("1", "2")),
    )
    assert Contract.from_dict(contract.to_dict()) == contract
    assert contract.check_row(GOOD) == ()


@pytest.mark.parametrize(
    ("change", "rule", "rejects"),
    [
        ({"age": None}, "null", False),
        ({"age": math.nan}, "null", False),
        ({"plan": None}, None, False),
        ({"age": 75}, None, False),
        ({"age": 75.1}, "range", False),
        ({"age": 14.9}, "range", False),
        ({"age": math.inf}, "infinite", True),
        ({"age": 10**5000}, "infinite", True),
        ({"age": "30"}, "type", True),
        ({"age": True}, "type", True),
        ({"age": [30]}, "type", True),
        ({"plan": "c"}, "category", False),
        ({"plan": 3}, "type", True),
        ({"zip": 2}, None, False),
        ({"zip": 2.0}, None, False),
        ({"zip": 3}, "type", True),
        ({"zip": 1.5}, "type", True),
        ({"zip": 10**5000}, "type", True),
        ({"paid": 1}, None, False),
        ({"paid": "yes"}, "type", True),
        ({"paid": 2}, "type", True),
        ({"since": "2022-02-30"}, "type", True),
        ({"since": "soon"}, "type", True),
        ({"since": 20220202}, "type", True),
        ({"since": "2022-02-02T10:00:00Z"}, None, False),
        ({"since": dt.datetime.fromisoformat("2022-02-02T10:00")}, None, False),
        ({"unknown": 1}, None, False),
    ],
)
def test_each_value_is_held_against_the_contract(
    contract: Contract, change: dict[str, Any], rule: str | None, rejects: bool
) -> None:
    """A wrong type or infinity rejects; a gap, a far number or a new category is flagged; the rest passes."""
    found = contract.check_row({**GOOD, **change})

    assert [violation.rule for violation in found] == ([rule] if rule else [])
    assert all(violation.rejects is rejects for violation in found)


@pytest.mark.parametrize(("field", "rejects"), [("age", True), ("plan", False)])
def test_an_absent_field_rejects_if_training_never_lacked_it(contract: Contract, field: str, rejects: bool) -> None:
    """A field that was never missing in training is a spelling mistake; the near name is shown."""
    row = {name: value for name, value in GOOD.items() if name != field}
    (violation,) = contract.check_row({**row, f"{field}s": 1})

    assert (violation.column, violation.rule, violation.rejects) == (field, "missing", rejects)
    assert violation.got == f"no such field ('{field}s' is there)"


def test_violations_say_what_was_expected(contract: Contract) -> None:
    """The words can be shown to whoever sent the row."""
    found = contract.check_row({**GOOD, "age": 200, "plan": "z" * 99, "paid": "x", "since": 1})

    assert [violation.expected for violation in found] == [
        "a number between 20 and 70",
        "one of: a, b",
        "true or false",
        "an ISO 8601 date, such as 2024-02-29",
    ]
    assert len(found[1].got) <= 61


def test_a_table_is_checked_by_row_and_column(contract: Contract) -> None:
    """Each violation of a table has its row; an absent column has none."""
    frame = pl.DataFrame({"age": ["30", "x", None], "plan": ["a", "c", None], "paid": [1, 2, 0], "zip": [1, 2, 3]})
    found = contract.check_frame(frame)

    assert found.select("row", "column", "rule", "got", "rejects").rows() == [
        (None, "since", "missing", "no such field", False),
        (1, "age", "type", "'x'", True),
        (1, "paid", "type", "2", True),
        (1, "plan", "category", "'c'", False),
        (2, "age", "null", "null", False),
        (2, "zip", "type", "3", True),
    ]


def test_a_clean_table_has_an_empty_answer(contract: Contract) -> None:
    """The training rows themselves violate nothing, and the answer has its columns all the same."""
    found = contract.check_frame(TRAIN)

    assert found.columns == ["row", "column", "rule", "got", "expected", "rejects"]
    assert found.is_empty()


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "age": st.none() | st.floats(-100, 200) | st.just(math.inf),
                "plan": st.none() | st.sampled_from(["a", "b", "c"]),
                "paid": st.none() | st.booleans(),
                "since": st.none() | st.sampled_from(["2022-02-02", "2022-02-30", "2022-02-02T10:00", "soon"]),
                "zip": st.none() | st.sampled_from([1, 2, 3]),
            }
        ),
        min_size=1,
        max_size=8,
    ),
    st.sampled_from([pl.Int64, pl.Float64]),
)
@settings(max_examples=60, deadline=None)
def test_rows_and_tables_are_judged_alike(rows: list[dict[str, Any]], codes: type[pl.DataType]) -> None:
    """The table check finds exactly what the row check finds."""
    roles = Roles("y", tuple(TRAIN.columns), None, None, None, {})
    contract = derive_contract(Dataset("v", TRAIN, infer_schema(TRAIN)), roles)
    types: dict[str, type[pl.DataType]] = {
        "age": pl.Float64,
        "plan": pl.String,
        "paid": pl.Boolean,
        "since": pl.String,
        "zip": codes,
    }
    frame = pl.DataFrame(rows, schema=types)

    by_row = {
        (index, violation.column, violation.rule, violation.expected, violation.rejects)
        for index, row in enumerate(frame.to_dicts())
        for violation in contract.check_row(row)
    }
    by_table = set(contract.check_frame(frame).select("row", "column", "rule", "expected", "rejects").rows())

    assert by_table == by_row


def test_very_many_categories_are_not_listed() -> None:
    """Beyond 1,000 categories the contract says text, and no category is unseen."""
    frame = pl.DataFrame({"c": [f"v{index // 2}" for index in range(2400)]})
    contract = derive_contract(Dataset("v", frame, infer_schema(frame)), Roles("y", ("c",), None, None, None, {}))

    assert contract.columns[0].categories == ()
    assert contract.check_row({"c": "never seen"}) == ()
    assert contract.columns[0].in_words == "text"


def test_a_feature_without_a_column_is_an_error() -> None:
    """Roles and training part have to belong together."""
    with pytest.raises(DataError, match="a feature is not in the training part; got 'agee'"):
        derive_contract(Dataset("v", TRAIN, infer_schema(TRAIN)), Roles("y", ("agee",), None, None, None, {}))


def test_late_prices_leave_the_early_range(problem: Callable[..., Problem], data_folder: Path) -> None:
    """On the electricity market, the first 1,000 half-hours set a range that later ones leave; row check agrees."""
    frame = read_table(data_folder / "electricity_elec2.parquet")
    schema = infer_schema(frame)
    roles = assign_roles(problem("price_up", time="row_order"), schema)
    contract = derive_contract(Dataset("v", frame.head(1000), schema), roles)
    late = frame.tail(2000)
    found = contract.check_frame(late)

    assert found.height == sum(len(contract.check_row(row)) for row in late.iter_rows(named=True)) > 0
    assert set(found["rule"]) == {"range"}


def test_free_text_may_be_any_text_and_nothing_else() -> None:
    """A new text is no unseen category; a number where a text was rejects the row, in a request as in a table."""
    column = ColumnContract("note", ColumnKind.TEXT, nullable=False)
    contract = Contract((column,))

    assert contract.check_row({"note": "never read before"}) == ()
    assert [(found.rule, found.rejects) for found in contract.check_row({"note": 12})] == [("type", True)]
    assert [(found.rule, found.rejects) for found in contract.check_row({"note": None})] == [("null", False)]
    assert contract.check_frame(pl.DataFrame({"note": ["new", "newer"]})).is_empty()
    assert contract.check_frame(pl.DataFrame({"note": [1, 2]}))["rejects"].to_list() == [True, True]
