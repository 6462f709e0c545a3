import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import polars as pl
import pytest

from modelyard.audit import AuditReport
from modelyard.audit.columns import robust_distance
from modelyard.core import Finding, Severity

Audited = Callable[..., AuditReport]
Named = Callable[..., list[Finding]]

ROWS = 2_000
RANDOM = np.random.default_rng(7)
X = RANDOM.normal(size=ROWS)
Y = (X + RANDOM.normal(size=ROWS) > 0).astype(int)


def table(**columns: Any) -> pl.DataFrame:
    """A binary problem of 2,000 rows with further columns."""
    return pl.DataFrame({"x": X, **columns, "y": Y})


def test_missing_values_are_graded(audited: Audited, named: Named) -> None:
    """Below 5 % nothing is said, from 50 % on it is a warning."""
    report = audited(
        table(
            **{
                name: np.where(np.arange(ROWS) < share * ROWS, np.nan, X + place)
                for place, (name, share) in enumerate({"few": 0.02, "some": 0.2, "most": 0.7}.items())
            }
        ).with_columns(pl.col("few", "some", "most").fill_nan(None))
    )

    assert [(f.subject, f.severity) for f in named(report, "missing-values")] == [
        ("most", Severity.WARNING),
        ("some", Severity.INFO),
    ]
    assert named(report, "missing-values", "some")[0].evidence == {"rows": 400, "share": 0.2}


def test_gaps_that_depend_on_the_answer_are_found(audited: Audited, named: Named) -> None:
    """A column that is filled in mostly for positives tells by its gaps."""
    after = pl.Series(np.where(RANDOM.random(ROWS) < np.where(Y == 1, 0.8, 0.3), X, np.nan)).fill_nan(None)

    assert [f.subject for f in named(audited(table(after=after)), "missing-tells")] == ["after"]


def test_columns_that_never_vary_are_found(audited: Audited, named: Named) -> None:
    """No value, one value, and one value nearly everywhere are three different findings."""
    nearly = np.where(np.arange(ROWS) < 5, "b", "a")
    report = audited(table(empty=pl.Series([None] * ROWS, dtype=pl.Float64), still=[3] * ROWS, nearly=nearly))

    assert [f.subject for f in named(report, "empty-column")] == ["empty"]
    assert [f.subject for f in named(report, "constant-column")] == ["still"]
    assert [f.subject for f in named(report, "nearly-constant-column")] == ["nearly"]


def test_repeated_rows_and_torn_answers_are_found(audited: Audited, named: Named) -> None:
    """A hundred copies, fifty of them with the other answer."""
    frame = table(z=RANDOM.normal(size=ROWS), key=[f"k{n:05}" for n in range(ROWS)])
    copies = frame.head(100).with_columns(
        y=pl.when(pl.int_range(pl.len()) < 50).then(1 - pl.col("y")).otherwise(pl.col("y")), key="n" + pl.col("key")
    )
    report = audited(pl.concat([frame, copies]))

    assert named(report, "duplicate-rows")[0].evidence["rows"] == 50
    assert named(report, "contradictory-labels")[0].evidence["sets"] == 50
    assert named(report, "contradictory-labels")[0].severity is Severity.WARNING


def test_coarse_columns_repeat_by_chance(audited: Audited, named: Named) -> None:
    """Rows of two small categories must repeat; that is no warning."""
    frame = pl.DataFrame({"a": RANDOM.choice(list("abc"), 500), "b": RANDOM.choice(list("xyz"), 500), "y": Y[:500]})

    assert {f.severity for f in named(audited(frame), "duplicate-rows")} == {Severity.INFO}
    assert {f.severity for f in named(audited(frame), "contradictory-labels")} == {Severity.INFO}


def test_a_used_identifier_is_a_warning(audited: Audited, named: Named) -> None:
    """Account numbers in random order are numbers by type and names by nature."""
    numbers = RANDOM.choice(10**9, ROWS, replace=False)

    (finding,) = named(audited(table(account_id=numbers)), "identifier")
    assert (finding.subject, finding.severity, finding.evidence["used"]) == ("account_id", Severity.WARNING, True)


def test_a_declared_id_that_repeats_is_found(audited: Audited, named: Named) -> None:
    """An id that names two rows is no id."""
    frame = table(key=[f"k{n % 1900:05}" for n in range(ROWS)])

    assert named(audited(frame, id="key"), "id-repeats")[0].evidence["rows"] == 100


def test_a_copy_of_the_target_is_an_error(audited: Audited, named: Named) -> None:
    """The same answer in other words, and a number that is nearly the target."""
    report = audited(table(words=np.where(Y == 1, "granted", "refused")))

    assert [(f.subject, f.severity) for f in named(report, "target-proxy")] == [("words", Severity.ERROR)]


@pytest.mark.parametrize("weights", [(1.0, 1.0), (0.5, -2.0)])
def test_an_exact_formula_is_an_error(audited: Audited, named: Named, weights: tuple[float, float]) -> None:
    """The target is a sum of two columns; the third is not blamed."""
    a, b, c = RANDOM.normal(size=(3, ROWS))
    frame = pl.DataFrame({"a": a, "b": b, "c": c, "y": weights[0] * a + weights[1] * b + 3})

    found = {f.subject: f.evidence["weight"] for f in named(audited(frame), "target-identity")}
    assert found == pytest.approx({"a": weights[0], "b": weights[1]})


def test_a_formula_of_many_parts_is_left_alone(audited: Audited, named: Named) -> None:
    """A noiseless model of ten features is unusual, but no sum of parts."""
    parts = RANDOM.normal(size=(10, ROWS))
    frame = pl.DataFrame({**{f"p{n}": part for n, part in enumerate(parts)}, "y": parts.sum(axis=0)})

    assert not named(audited(frame), "target-identity")


def test_dates_after_the_prediction_are_found(audited: Audited, named: Named) -> None:
    """A closing date comes after the moment at which the prediction is asked for; a birthday does not."""
    asked = pl.select(pl.lit(dt.date(2024, 1, 1)) + pl.duration(days=pl.int_range(ROWS) % 300)).to_series()
    frame = table(asked=asked).with_columns(
        closed=pl.col("asked") + pl.duration(days=30), born=pl.col("asked") - pl.duration(days=9_000)
    )

    assert [f.subject for f in named(audited(frame, prediction_time="asked"), "later-than-prediction")] == ["closed"]


def test_small_tables_and_classes_are_graded(audited: Audited, named: Named) -> None:
    """A warning below 500 rows, a note below 1,000, silence above; classes below 50 rows are named."""
    frame = table(level=RANDOM.choice(list("abc"), ROWS))

    sizes = {rows: [f.severity for f in named(audited(frame.head(rows)), "small-sample")] for rows in (400, 900, 1000)}
    assert sizes == {400: [Severity.WARNING], 900: [Severity.INFO], 1000: []}
    rare = frame.with_columns(y=pl.Series(["rare"] * 20 + ["often"] * (ROWS - 20)))
    assert [(f.subject, f.evidence["rows"]) for f in named(audited(rare), "small-class")] == [("rare", 20)]


@pytest.mark.parametrize(("share", "severity"), [(0.01, Severity.WARNING), (0.1, Severity.INFO), (0.3, None)])
def test_imbalance_is_graded(audited: Audited, named: Named, share: float, severity: Severity | None) -> None:
    """A warning below 5 %, a note below 20 %, silence above."""
    frame = table().with_columns(y=pl.Series((np.arange(ROWS) < share * ROWS).astype(int)).shuffle(seed=0))

    assert [f.severity for f in named(audited(frame), "imbalance")] == ([severity] if severity else [])


def test_mixed_and_misread_values_are_found(audited: Audited, named: Named) -> None:
    """Numbers among words, numbers as text, stand-ins, spellings and wrong encodings each have a finding."""
    mixed = np.where(np.arange(ROWS) % 3 == 0, "twelve", (np.arange(ROWS) % 40).astype(str))
    text = np.char.add((np.arange(ROWS) % 90).astype(str), ",5")
    report = audited(
        table(
            mixed=mixed,
            text=text,
            gaps=np.where(np.arange(ROWS) % 10 == 0, "N/A", "a"),
            days=np.where(np.arange(ROWS) % 10 == 0, -999, np.arange(ROWS) % 28),
            spelt=RANDOM.choice(["Berlin", "berlin ", "Rome"], ROWS),
            broken=RANDOM.choice(["MÃ¼nchen", "Rome"], ROWS),
        )
    )

    assert [f.subject for f in named(report, "mixed-types")] == ["mixed"]
    assert [f.subject for f in named(report, "decimal-comma")] == ["text"]
    assert {(f.subject, f.evidence["value"]) for f in named(report, "placeholder-value")} == {
        ("gaps", "N/A"),
        ("days", "-999"),
    }
    assert [f.subject for f in named(report, "spelling-variants")] == ["spelt"]
    assert [f.subject for f in named(report, "broken-text")] == ["broken"]


def test_outliers_are_shown_and_skew_is_not(audited: Audited, named: Named) -> None:
    """A slip of the pen stands out; a log-normal column has none."""
    typed = RANDOM.normal(50, 5, ROWS)
    typed[3] = 50_000.0

    found = named(audited(table(typed=typed, skewed=RANDOM.lognormal(sigma=1.5, size=ROWS))), "outliers")
    assert [(f.subject, f.evidence["rows"], f.evidence["extreme"]) for f in found] == [("typed", 1, 50_000.0)]


def test_the_robust_distance_grows_with_distance() -> None:
    """The median is at zero, and farther values are farther on each side; equal values have no distance."""
    values = np.array([1.0, 2.0, 3.0, 4.0, 5.0, 9.0, 100.0])

    distance = robust_distance(values, np.sort(values))
    assert distance[3] == 0.0
    assert (np.diff(distance[3:]) > 0).all()
    assert (np.diff(distance[:4]) < 0).all()
    assert not robust_distance(np.array([2.0]), np.array([1.0, 1.0, 1.0, 2.0])).any()


def test_columns_that_say_the_same_are_clustered(audited: Audited, named: Named) -> None:
    """Three scales of one length are one cluster; a copy is a finding of its own."""
    length = RANDOM.normal(size=ROWS)
    frame = table(
        cm=length, inch=length / 2.54, about=length + 0.05 * RANDOM.normal(size=ROWS), other=RANDOM.normal(size=ROWS)
    ).with_columns(again=pl.col("cm"))
    report = audited(frame)

    (cluster,) = named(report, "collinear-features")
    assert cluster.evidence["features"] == ["cm", "inch", "about", "again"]
    assert [(f.subject, f.evidence["equals"]) for f in named(report, "copied-column")] == [("again", "cm")]


def test_one_far_point_makes_no_cluster(audited: Audited, named: Named) -> None:
    """Two columns that share one huge value correlate by value only; that is no redundancy."""
    a, b = RANDOM.normal(size=(2, ROWS))
    a[0] = b[0] = 10_000.0

    assert not named(audited(table(a=a, b=b)), "collinear-features")


def test_time_that_the_split_ignores_is_found(audited: Audited, named: Named) -> None:
    """A declared time with a random split is a warning; dates without a declared time are a note."""
    days = pl.select(pl.lit(dt.date(2020, 1, 1)) + pl.duration(days=pl.int_range(ROWS) // 2)).to_series()

    declared = audited(table(day=days), time="day", split={"strategy": "random"})
    assert [(f.subject, f.severity) for f in named(declared, "time-outside-split")] == [("day", Severity.WARNING)]
    silent = audited(table(day=days))
    assert [(f.subject, f.severity) for f in named(silent, "time-outside-split")] == [("day", Severity.INFO)]
    assert not named(audited(table(day=days), time="day"), "time-outside-split")


def test_a_steady_target_does_not_drift(audited: Audited, named: Named) -> None:
    """Drift is told from noise: a rising rate is found, a steady one is not."""
    step = np.arange(ROWS)
    steady = table(step=step)
    rising = steady.with_columns(y=pl.Series((RANDOM.random(ROWS) < 0.2 + 0.5 * step / ROWS).astype(int)))

    assert not named(audited(steady, time="step"), "target-drift")
    assert len(named(audited(rising, time="step"), "target-drift")) == 1


def test_ordinary_categories_are_no_entities(audited: Audited, named: Named) -> None:
    """A city that fixes its country is a candidate, but new cities are predicted as well as known ones."""
    city = RANDOM.integers(0, 40, ROWS)
    frame = table(city=np.char.add("city ", city.astype(str)), country=np.char.add("land ", (city % 7).astype(str)))

    assert not named(audited(frame), "undeclared-group")


def test_free_text_is_a_feature_like_others(audited: Audited, named: Named) -> None:
    """Text is encoded, so there is nothing to warn of: neither that it is lost, nor that nothing is left."""
    words = ["red", "green", "small", "large", "old", "new", "open", "shut"]
    notes = [" ".join(RANDOM.choice(words, 16)) for _ in range(ROWS)]

    report = audited(table(note=notes))
    assert not named(report, "text-not-encoded")
    assert not named(report, "no-features")
