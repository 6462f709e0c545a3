"""Planted proxies are found; columns that know nothing of a protected one are not."""

import numpy as np
import polars as pl
import pytest

from modelyard.core import Severity
from modelyard.data.schema import Column, ColumnKind
from modelyard.evaluation.reasons import Proxy, Reasons
from modelyard.evaluation.reasons.findings import reasons_findings
from modelyard.evaluation.reasons.proxies import find_proxies, place_columns
from modelyard.problem import Task

COLUMNS = (
    Column("occupation", ColumnKind.CATEGORY, "", nullable=False),
    Column("height", ColumnKind.NUMERIC, "", nullable=False),
    Column("noise", ColumnKind.NUMERIC, "", nullable=False),
    Column("gender", ColumnKind.CATEGORY, "", nullable=False),
)


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    """1,500 people whose occupation tells their gender in nine of ten cases, and whose height tells something."""
    generator = np.random.default_rng(0)
    woman = generator.random(1500) < 0.5
    told = woman ^ (generator.random(1500) < 0.1)
    return pl.DataFrame(
        {
            "occupation": np.where(told, "nurse", "smith"),
            "height": generator.normal(size=1500) - 0.8 * woman,
            "noise": generator.normal(size=1500),
            "gender": np.where(woman, "woman", "man"),
            "age": generator.integers(18, 90, 1500),
        }
    )


def test_a_planted_proxy_is_found(people: pl.DataFrame) -> None:
    """Occupation first, then height, then all columns together; noise and the column itself are none."""
    found = find_proxies(["gender"], COLUMNS, people, seed=0)

    assert [proxy.feature for proxy in found] == ["occupation", "height", ""]
    assert found[0].score == pytest.approx(0.88, abs=0.02)
    assert found[0].strength == pytest.approx(0.76, abs=0.04)
    assert found[2].score > found[0].score
    assert {proxy.score_name for proxy in found} == {"ROC AUC"}


def test_numbers_and_several_groups_are_told_too(people: pl.DataFrame) -> None:
    """An age by R²; three groups by one area each; an age that nothing tells has no proxy."""
    generator = np.random.default_rng(1)
    frame = people.with_columns(
        height=pl.col("age") + generator.normal(size=1500), group=pl.Series(generator.choice(list("abc"), 1500))
    )
    frame = frame.with_columns(noise=(pl.col("group") == "a").cast(pl.Float64))
    found = {(item.protected, item.feature): item for item in find_proxies(["age", "group"], COLUMNS, frame, seed=0)}

    assert found["age", "height"].score_name == "R²"
    assert found["age", "height"].score > 0.9
    assert found["group", "noise"].strength > 0.5
    assert [item.feature for item in find_proxies(["age"], COLUMNS, people, seed=0)] == [""]
    assert find_proxies(["age"], COLUMNS, people, seed=0)[0].strength < 0.1


def test_few_rows_say_nothing(people: pl.DataFrame) -> None:
    """Below 200 rows, without protected columns, or with one value alone there is nothing to say."""
    assert find_proxies(["gender"], COLUMNS, people[:150], seed=0) == ()
    assert find_proxies([], COLUMNS, people, seed=0) == ()
    assert find_proxies(["gender"], COLUMNS, people.with_columns(gender=pl.lit("woman")), seed=0) == ()


def test_places_are_known_by_their_name() -> None:
    """Words of a place in any writing; words that only contain one are none."""
    names = ("ZIP", "zipCode", "customer_city", "Latitude", "Neighborhood", "capacity", "electricity", "landline")
    columns = [Column(name, ColumnKind.CATEGORY, "", nullable=False) for name in names]

    assert place_columns(columns) == names[:5]


def test_proxies_are_findings() -> None:
    """A strong column is a warning that names it; all together alone a note; weak ones nothing; places with protected."""
    strong = (Proxy("gender", "occupation", 0.9, "ROC AUC", 0.8), Proxy("gender", "", 0.95, "ROC AUC", 0.9))
    joint = (Proxy("age", "", 0.7, "R²", 0.7),)
    weak = (Proxy("race", "height", 0.66, "ROC AUC", 0.32), Proxy("race", "", 0.7, "ROC AUC", 0.4))
    found = list(reasons_findings(Reasons(proxies=(*strong, *joint, *weak), places=("zip",)), Task.BINARY))

    assert [(item.id, item.subject, item.severity) for item in found] == [
        ("protected-proxy", "gender", Severity.WARNING),
        ("protected-proxy", "age", Severity.INFO),
        ("place-as-feature", "zip", Severity.INFO),
    ]
    assert "'occupation' (ROC AUC 0.90) tells it on rows held out; all columns together tell it" in found[0].message
    assert list(reasons_findings(Reasons(places=("zip",)), Task.BINARY)) == []
