from collections.abc import Callable

import pytest

from modelyard.core import DataError
from modelyard.data import Column, ColumnKind, Schema, assign_roles
from modelyard.problem import Problem

Build = Callable[..., Problem]


def schema(**kinds: ColumnKind) -> Schema:
    """A schema of text columns of these kinds."""
    return Schema(tuple(Column(name, kind, "String", nullable=False) for name, kind in kinds.items()))


def test_every_column_has_one_use(problem: Build) -> None:
    """The target, the features and the excluded columns are all columns, each once; reasons are in words."""
    table = schema(
        y=ColumnKind.CATEGORY,
        customer=ColumnKind.CATEGORY,
        household=ColumnKind.NUMERIC,
        counts=ColumnKind.NUMERIC,
        known_at=ColumnKind.DATE,
        asked_at=ColumnKind.DATE,
        duration=ColumnKind.NUMERIC,
        note=ColumnKind.TEXT,
        serial=ColumnKind.IDENTIFIER,
        age=ColumnKind.NUMERIC,
        plan=ColumnKind.CATEGORY,
    )
    roles = assign_roles(
        problem(
            "y",
            id="customer",
            group="household",
            weight="counts",
            label_time="known_at",
            prediction_time="asked_at",
            exclude={"duration": "known only after the call"},
        ),
        table,
    )

    assert roles.features == ("note", "age", "plan")
    assert roles.excluded == {
        "customer": "it names the row",
        "household": "it names the group, which is new in production",
        "counts": "it says how much the row counts",
        "known_at": "it is known only with the label",
        "asked_at": "it says when the prediction is asked for",
        "duration": "known only after the call",
        "serial": "it is an identifier: almost every row has its own value",
    }
    assert {roles.target, *roles.features, *roles.excluded} == set(table.names)


@pytest.mark.parametrize(("kind", "is_feature"), [(ColumnKind.DATE, True), (ColumnKind.NUMERIC, False)])
def test_a_time_column_is_a_feature_only_as_a_date(problem: Build, kind: ColumnKind, is_feature: bool) -> None:
    """A date has calendar parts that come again; a counter has not."""
    roles = assign_roles(problem("y", time="when"), schema(y=ColumnKind.NUMERIC, when=kind, x=ColumnKind.NUMERIC))

    assert ("when" in roles.features) is is_feature


def test_split_and_existing_system_columns_are_left_out(problem: Build) -> None:
    """The column that names the parts and today's answer are no features."""
    asked = problem("y", split={"strategy": "column", "column": "part"}).with_values(
        existing_system={"column": "today"}
    )
    table = schema(y=ColumnKind.NUMERIC, part=ColumnKind.CATEGORY, today=ColumnKind.NUMERIC, x=ColumnKind.NUMERIC)

    assert assign_roles(asked, table).features == ("x",)


def test_a_column_without_values_is_left_out(problem: Build) -> None:
    """Nothing can be learnt from a column that is missing throughout."""
    table = Schema(
        (
            *schema(y=ColumnKind.NUMERIC, x=ColumnKind.NUMERIC).columns,
            Column("e", ColumnKind.CATEGORY, "Null", nullable=True),
        )
    )

    assert assign_roles(problem("y"), table).excluded == {"e": "no row has a value"}


def test_no_feature_left_is_an_error_to_those_who_need_one(problem: Build) -> None:
    """A table of a target and an identifier can be looked at, but has nothing to learn from."""
    roles = assign_roles(problem("y"), schema(y=ColumnKind.NUMERIC, n=ColumnKind.IDENTIFIER))

    assert roles.features == ()
    with pytest.raises(DataError, match="no column is left to learn from; got n: it is an identifier"):
        roles.require_features()


def test_an_absent_target_is_an_error(problem: Build) -> None:
    """The target has to be a column of the schema."""
    with pytest.raises(DataError, match="Did you mean 'answer'"):
        assign_roles(problem("answers"), schema(answer=ColumnKind.NUMERIC, n=ColumnKind.NUMERIC))
