"""Features of the user's own: tried for row-locality, versioned by their source, the same in a row and in a table."""

import copy
import datetime as dt
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.core import ConfigError, DataError, IntegrityError
from modelyard.data import Column, ColumnKind, Roles, infer_schema
from modelyard.features import (
    EncodingStyle,
    OwnFeatures,
    catalogue,
    encodings_from_json,
    encodings_to_json,
    load_own_features,
    row_encoder,
)
from modelyard.features.encoder import TableEncoder

HEAD = "import polars as pl\nfrom modelyard.features import feature\n"
PAID = HEAD + (
    "@feature(inputs=['tenure', 'charge'], meaning='What was paid so far', author='ada')\n"
    "def paid(table):\n    return pl.col('tenure') * pl.col('charge')\n"
    "@feature(inputs=['plan', 'since'], meaning='Plan and year', author='ada')\n"
    "def vintage(table):\n    return table['plan'] + table['since'].dt.year().cast(pl.String)\n"
)
FRAME = pl.DataFrame(
    {
        "tenure": [n % 7 for n in range(60)],
        "charge": [None if n % 11 == 0 else n * 1.5 for n in range(60)],
        "plan": ["basic" if n % 3 else "plus" for n in range(60)],
        "since": [dt.date(2020 + n % 3, 1, 1) for n in range(60)],
    }
)
SCHEMA = infer_schema(FRAME)


def load(folder: Path, source: str) -> OwnFeatures | None:
    """The features of a source, tried on the table."""
    (folder / "features.py").write_text(source, encoding="utf-8")
    return load_own_features(folder, FRAME, SCHEMA, FRAME.columns)


def written(body: str, inputs: str = "['charge']") -> str:
    """A source with one feature of this body."""
    return HEAD + f"@feature(inputs={inputs}, meaning='A test', author='ada')\ndef mine(table):\n    return {body}\n"


def test_functions_become_columns(tmp_path: Path) -> None:
    """Names, inputs, meaning, author and kind are known, and the values are the function's."""
    own = load(tmp_path, PAID)
    assert own is not None
    table = own.add(FRAME)

    assert own.columns == (
        Column("paid", ColumnKind.NUMERIC, "", nullable=True),
        Column("vintage", ColumnKind.CATEGORY, "", nullable=True),
    )
    assert own.features[0].inputs == (SCHEMA.column("tenure"), SCHEMA.column("charge"))
    assert table["paid"].to_list()[:3] == [None, 1.5, 6.0]
    assert table["vintage"].to_list()[:2] == ["plus2020", "basic2021"]


def test_the_version_is_the_source(tmp_path: Path) -> None:
    """Another source, another digest; a package whose source is not the plan's is refused."""
    one, other = load(tmp_path, PAID), load(tmp_path, PAID.replace("*", "+"))
    assert one is not None
    assert other is not None

    assert one.digest != other.digest
    assert OwnFeatures.of_package(one.source, one.features, one.digest) == one
    with pytest.raises(IntegrityError, match="not the one that the model was trained with"):
        OwnFeatures.of_package(other.source, one.features, one.digest)


def test_it_travels_as_source(tmp_path: Path) -> None:
    """A stored run holds text and records, no function; what comes back computes the same."""
    own = load(tmp_path, PAID)
    assert own is not None
    own.add(FRAME)
    again: OwnFeatures = copy.deepcopy(own)

    assert again == own
    assert again.add(FRAME).equals(own.add(FRAME))


def test_no_file_or_no_marked_function_is_no_feature(tmp_path: Path) -> None:
    """A project without features of its own pays nothing."""
    assert load_own_features(tmp_path, FRAME, SCHEMA, FRAME.columns) is None
    assert load(tmp_path, HEAD + "def helper(table):\n    return 1\n") is None


@pytest.mark.parametrize(
    "body",
    [
        "pl.col('charge') - pl.col('charge').mean()",
        "pl.col('charge').shift(1)",
        "pl.col('charge').rank()",
        "pl.col('charge').cum_sum()",
        "pl.col('charge').fill_null(strategy='forward')",
        "pl.Series([float(table.height)] * table.height)",
    ],
)
def test_a_value_that_depends_on_other_rows_is_an_error(tmp_path: Path, body: str) -> None:
    """Means, shifts, ranks, sums and counts over the table are found, and the cure is said."""
    with pytest.raises(DataError, match="depends on other rows") as caught:
        load(tmp_path, written(body))
    assert "features.py, mine" in str(caught.value)
    assert "no mean, rank, shift or count over the table" in str(caught.value)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def broken(:\n", "SyntaxError"),
        ("import nothing_like_this\n", "ModuleNotFoundError"),
        (written("pl.col('charge')", "[]"), "no input is named"),
        (written("pl.col('charge')", "['target']"), "'target' is not a feature of this project"),
        (written("pl.col('charge')").replace("def mine", "def plan"), "has this name already"),
        (written("pl.col('charge')").replace("'ada'", "' '"), "meaning or author is empty"),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, source: str, message: str) -> None:
    """One sentence with file and function, before anything is trained."""
    with pytest.raises(ConfigError, match=message):
        load(tmp_path, source)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("pl.col('tenure')", "failed"),
        ("1 / 0", "ZeroDivisionError"),
        ("pl.col('charge').sum()", "1 values for 60 rows"),
        ("[1.0]", "gives no column"),
        ("table['charge'].head(3)", "3 values for 60 rows"),
        ("pl.concat_list('charge')", "cannot be features"),
    ],
)
def test_a_function_that_gives_no_column_says_why(tmp_path: Path, body: str, message: str) -> None:
    """It reads what it did not name, raises, or gives too few values or values of an odd type."""
    with pytest.raises(DataError, match=message):
        load(tmp_path, written(body))


def test_explanations_and_catalogue_go_back_to_the_inputs(tmp_path: Path) -> None:
    """Each encoding knows the table's columns behind it; the catalogue names author, meaning and version."""
    own = load(tmp_path, PAID)
    assert own is not None
    encoder = TableEncoder(SCHEMA.columns, EncodingStyle.TREE, own=own).fit(FRAME)
    roles = Roles("y", tuple(FRAME.columns), None, None, None, {})
    entries = {e.column: e for e in catalogue(encoder.encodings_, roles, own=own.features, own_digest=own.digest)}

    assert encoder.sources()[-2:] == (("tenure", "charge"), ("plan", "since"))
    assert (entries["paid"].added_by, entries["paid"].because) == ("ada", "What was paid so far")
    assert entries["paid"].transformation == (
        f"features.py (version {own.digest[:12]}) from tenure, charge; then as it is; missing is left open"
    )


@settings(max_examples=30, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "tenure": st.one_of(st.none(), st.integers(0, 100), st.floats(0, 100)),
                "charge": st.one_of(st.none(), st.floats(allow_nan=False, allow_infinity=False)),
                "plan": st.one_of(st.none(), st.sampled_from(["basic", "plus", "new"])),
                "since": st.one_of(st.none(), st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1))),
            }
        ),
        min_size=1,
        max_size=8,
    ),
    style=st.sampled_from(EncodingStyle),
)
def test_a_request_equals_the_table(
    tmp_path_factory: pytest.TempPathFactory, rows: list[dict[str, object]], style: EncodingStyle
) -> None:
    """Rows as JSON brings them, one by one, have the bits of the table."""
    own = load(tmp_path_factory.getbasetemp(), PAID)
    assert own is not None
    encoder = TableEncoder(SCHEMA.columns, style, own=own).fit(FRAME)
    encode = row_encoder(encodings_from_json(encodings_to_json(encoder.encodings_)))
    types = {"tenure": pl.Float64, "charge": pl.Float64, "plan": pl.String, "since": pl.Date}
    requests = [{**row, "since": str(row["since"]) if row["since"] else None} for row in rows]
    by_row = np.array([encode(own.add_to_rows([request])[0]) for request in requests])

    assert by_row.tobytes() == encoder.transform(pl.DataFrame(rows, schema=types)).tobytes()
