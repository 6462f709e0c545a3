import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import ConfigError
from modelyard.data import Contract, Dataset, Roles, check_table, derive_contract, infer_schema
from modelyard.problem import Problem
from modelyard.problem.schema import DataSource

TRAIN = pl.DataFrame(
    {"age": [20.0, 70.0, 45.0], "plan": ["a", "b", None], "zip": ["1", "2", "1"], "note": ["x", "y", "x"]}
)
GOOD: dict[str, Any] = {"age": 30, "plan": "a", "zip": "1", "note": "x"}
DECLARED: dict[str, Any] = {
    "ranges": {"age": [0, 120], "plan": [0, 1]},
    "contract": {
        "plan": {"categories": ["a", "b", "c"], "nullable": False, "reason": "plan c starts in May"},
        "zip": {"categories": ["1", "3"], "reason": "district 2 was sold"},
        "note": {"required": False, "nullable": True, "reason": "asked since June only"},
    },
}


def made(**declared: Any) -> Contract:
    """The contract of three training rows under declarations."""
    roles = Roles("y", tuple(TRAIN.columns), None, None, None, {})
    source = DataSource.model_validate({"source": "t.csv", "target": "y", **declared})
    return derive_contract(Dataset("v", TRAIN, infer_schema(TRAIN)), roles, source)


def test_declarations_win_over_what_was_learnt() -> None:
    """Each declared part says so, with its reason; the others stay as training saw them."""
    age, plan, zip_, note = made(**DECLARED).columns

    assert (age.low, age.high, age.lowest, age.highest) == (20.0, 70.0, 0.0, 120.0)
    assert (age.declared, age.reason) == (("range",), "declared under data.ranges")
    assert (plan.declared, plan.reason) == (("categories", "nullable"), "plan c starts in May")
    assert (plan.categories, plan.allowed, plan.nullable, plan.lowest) == (("a", "b"), ("a", "b", "c"), False, None)
    assert (zip_.nullable, zip_.must_be_there) == (False, True)
    assert (note.nullable, note.must_be_there, note.refuses_null) == (True, False, False)
    contract = made(**DECLARED)
    assert Contract.from_dict(contract.to_dict()) == contract
    assert contract.check_row(GOOD) == ()


@pytest.mark.parametrize(
    ("change", "rule", "rejects"),
    [
        ({"age": 119}, "range", False),
        ({"age": 121}, "limit", True),
        ({"age": -1}, "limit", True),
        ({"age": math.inf}, "infinite", True),
        ({"age": None}, "null", False),
        ({"plan": None}, "null", True),
        ({"plan": "c"}, "category", False),
        ({"plan": "d"}, "limit", True),
        ({"zip": "2"}, "limit", True),
        ({"zip": 2}, "limit", True),
        ({"zip": 3}, "category", False),
        ({"zip": 4}, "type", True),
        ({"note": None}, None, False),
    ],
)
def test_what_is_declared_rejects_and_what_is_learnt_flags(
    change: dict[str, Any], rule: str | None, rejects: bool
) -> None:
    """Beyond a declared range or list, and a null that is declared impossible: no score. A declared novelty: a flag."""
    found = made(**DECLARED).check_row({**GOOD, **change})

    assert [(violation.rule, violation.rejects) for violation in found] == ([(rule, rejects)] if rule else [])


def test_a_field_may_be_declared_optional_or_required() -> None:
    """An absent field rejects by declaration, whatever training saw."""
    free = made(**DECLARED).check_row({name: value for name, value in GOOD.items() if name != "note"})
    bound = made(contract={"plan": {"required": True, "reason": "they promised"}})
    bare = bound.check_row({name: value for name, value in GOOD.items() if name != "plan"})

    assert [(found.rule, found.rejects) for found in free] == [("missing", False)]
    assert [(found.rule, found.rejects) for found in bare] == [("missing", True)]


def test_the_words_name_the_declaration() -> None:
    """Whoever sent the row reads what was agreed."""
    found = made(**DECLARED).check_row({**GOOD, "age": 121, "plan": "d"})

    assert [violation.expected for violation in found] == [
        "a number between 20 and 70, 0 to 120 by declaration",
        "one of: a, b, c by declaration",
    ]


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "age": st.none() | st.sampled_from([-1.0, 0.0, 30.0, 100.0, 121.0, math.inf]),
                "plan": st.none() | st.sampled_from(["a", "c", "d"]),
                "zip": st.none() | st.sampled_from([1, 2, 3, 4]),
                "note": st.none() | st.sampled_from(["x", "z"]),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
@settings(max_examples=40, deadline=None)
def test_declared_rows_and_tables_are_judged_alike(rows: list[dict[str, Any]]) -> None:
    """The table check finds exactly what the row check finds, and its summary counts the rows."""
    contract = made(**DECLARED)
    schema = {"age": pl.Float64, "plan": pl.String, "zip": pl.Int64, "note": pl.String}
    frame = pl.DataFrame(rows, schema=schema)
    by_row = [contract.check_row(row) for row in frame.to_dicts()]
    by_table = contract.check_frame(frame)
    report = check_table(contract, frame, "a test")

    assert set(by_table.select("row", "column", "rule", "rejects").rows()) == {
        (index, one.column, one.rule, one.rejects) for index, found in enumerate(by_row) for one in found
    }
    assert report.rejected == sum(any(one.rejects for one in found) for found in by_row)
    assert report.flagged == sum(bool(found) and not any(one.rejects for one in found) for found in by_row)
    assert sum(count.rows for count in report.found) == sum(map(len, by_row))


def test_a_list_for_numbers_is_refused() -> None:
    """A number has a range, no list of values."""
    with pytest.raises(ConfigError, match=r"data\.contract\.age\.categories: only a category has a list"):
        made(contract={"age": {"categories": ["20"], "reason": "why not"}})


@pytest.mark.parametrize(
    "rule",
    [{"nullable": True}, {"nullable": True, "reason": ""}, {"reason": "none"}, {"categories": [], "reason": "?"}],
)
def test_a_rule_needs_a_reason_and_a_word(rule: dict[str, Any]) -> None:
    """A declaration without a reason, or a reason without a declaration, is refused with the project file."""
    with pytest.raises(ValueError, match=r"reason|categories"):
        Problem.model_validate({"data": {"source": "t.csv", "target": "y", "contract": {"a": rule}}})


def test_an_absent_column_breaks_even_an_empty_table() -> None:
    """A table without rows keeps the contract if its columns are there; one that lacks a column does not."""
    empty = TRAIN.clear()

    assert check_table(made(), empty, "t").holds
    report = check_table(made(), empty.drop("age"), "t")
    assert (report.holds, report.rows, report.rejected) == (False, 0, 0)
    assert [(count.column, count.rule, count.rows) for count in report.found] == [("age", "missing", 0)]


STRICT: dict[str, Any] = {
    "ranges": {"age": [0, 120]},
    "contract": {
        "age": {"strictness": "strict", "reason": "the pump cannot take more"},
        "zip": {"strictness": "strict", "reason": "no other district is served"},
    },
}
LENIENT: dict[str, Any] = {
    "ranges": {"age": [0, 120]},
    "contract": {
        "age": {"strictness": "lenient", "nullable": False, "reason": "the old form had no limits"},
        "zip": {"strictness": "lenient", "categories": ["1", "3"], "reason": "districts are merged in May"},
    },
}


@pytest.mark.parametrize(
    ("declared", "change", "rule", "rejects"),
    [
        (STRICT, {"age": 119}, "range", True),
        (STRICT, {"age": None}, "null", True),
        (STRICT, {"zip": "9"}, "category", True),
        (STRICT, {"note": None}, "null", False),
        (STRICT, {"age": 74}, None, False),
        (LENIENT, {"age": 121}, "limit", False),
        (LENIENT, {"age": None}, "null", False),
        (LENIENT, {"zip": "9"}, "limit", False),
        (LENIENT, {"age": "old"}, "type", True),
        (LENIENT, {"age": math.inf}, "infinite", True),
    ],
)
def test_a_field_may_be_strict_or_lenient(
    declared: dict[str, Any], change: dict[str, Any], rule: str | None, rejects: bool
) -> None:
    """Strict: hints reject too; lenient: law flags; a value that cannot be scored rejects always. Rows as in tables."""
    contract = made(**declared)
    row = {**GOOD, **change}
    found = contract.check_row(row)
    expected = [(rule, rejects)] if rule else []

    assert [(violation.rule, violation.rejects) for violation in found] == expected
    if rule != "type":
        table = contract.check_frame(pl.DataFrame([row], schema_overrides={"age": pl.Float64, "note": pl.String}))
        assert table.select("rule", "rejects").rows() == expected
    assert Contract.from_dict(contract.to_dict()) == contract


def test_a_rule_says_something() -> None:
    """A reason alone is no agreement, and strictness has two words."""
    with pytest.raises(ValueError, match="required or strictness beside the reason"):
        made(contract={"age": {"reason": "because"}})
    with pytest.raises(ValueError, match="strict"):
        made(contract={"age": {"strictness": "severe", "reason": "because"}})
