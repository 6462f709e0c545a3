import polars as pl

from modelyard.data import Column, ColumnKind, Roles
from modelyard.features import EncodingStyle, FeatureEntry, catalogue
from modelyard.features.fitting import fit_encoding

FRAME = pl.DataFrame(
    {
        "number": [1.0, 3.0, None],
        "level": ["a", "b", "a"],
        "flag": [True, False, None],
        "day": ["2024-01-01", "2024-01-02", None],
        "still": [1, 1, 1],
    }
)
KINDS = {
    "number": ColumnKind.NUMERIC,
    "level": ColumnKind.CATEGORY,
    "flag": ColumnKind.BOOLEAN,
    "day": ColumnKind.DATE,
    "still": ColumnKind.NUMERIC,
}
ROLES = Roles(
    "y",
    tuple(KINDS),
    "key",
    None,
    None,
    {"key": "it names the row", "note": "no row has a value", "fee": "set after the outcome"},
)


def entries(style: EncodingStyle) -> dict[str, FeatureEntry]:
    """The catalogue of a small table, by column."""
    encodings = [
        fit_encoding(Column(name, kind, str(FRAME[name].dtype), nullable=True), FRAME[name], style)
        for name, kind in KINDS.items()
    ]
    return {entry.column: entry for entry in catalogue(encodings, ROLES, declared=("fee",))}


def test_every_feature_is_explained() -> None:
    """What is done to each column is said in words, with the numbers used."""
    found = entries(EncodingStyle.LINEAR)

    assert found["number"].transformation == (
        "minus 2, divided by 1; missing is set to 2; one feature tells whether it is missing"
    )
    assert found["level"] == FeatureEntry(
        "level",
        "category",
        ("level=a", "level=b"),
        "one feature for each of 2 levels",
        "modelyard",
        "a column of the table that may be used",
    )
    assert found["flag"].features == ("flag", "flag (missing)")
    assert found["day"].transformation.startswith("calendar parts: day, weekday sin, weekday cos, epoch days")
    assert entries(EncodingStyle.TREE)["number"].transformation == "as it is; missing is left open"


def test_a_dropped_column_keeps_a_note() -> None:
    """A constant column gives no feature, and the catalogue says why."""
    entry = entries(EncodingStyle.TREE)["still"]

    assert (entry.kind, entry.features, entry.because) == ("constant", (), "one value in all training rows")


def test_columns_left_out_say_who_decided() -> None:
    """The target, the id and declared exclusions come from the project file; the rest is modelyard's rule."""
    found = entries(EncodingStyle.TREE)

    assert [found[name].added_by for name in ("y", "key", "fee", "note")] == [
        "project file",
        "project file",
        "project file",
        "modelyard",
    ]
    assert found["note"].because == "no row has a value"
