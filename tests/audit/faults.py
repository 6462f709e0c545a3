"""Faults to plant: each takes a sound table of 2,000 rows and gives it back with one fault, and names what must be said."""

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

__all__ = ["FAULTS", "Fault"]

Grow = Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]
YES = "yes"


@dataclasses.dataclass(frozen=True)
class Fault:
    """One planted fault.

    Parameters
    ----------
    check, subject
        The finding that must be raised.
    plant
        Makes the faulty table of a sound one whose target is ``y``.
    data, split
        Keys of the project file beside the target.
    """

    check: str
    subject: str
    plant: Grow
    data: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    split: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def _column(name: str, make: Callable[[pl.DataFrame, np.random.Generator], Any]) -> Grow:
    """Adds a column, or replaces it."""
    return lambda frame, random: frame.with_columns(pl.Series(name, make(frame, random)))


def _gaps(
    name: str,
    values: Callable[[pl.DataFrame, np.random.Generator], Any],
    where: Callable[[pl.DataFrame, np.random.Generator], Any],
) -> Grow:
    """Adds a column of numbers with gaps."""

    def plant(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        held = np.asarray(values(frame, random), dtype=float)
        held[where(frame, random)] = np.nan
        return frame.with_columns(pl.Series(name, held).fill_nan(None))

    return plant


def _some(share: float) -> Any:
    """Rows drawn at random."""
    return lambda frame, random: random.random(frame.height) < share


def _normal(frame: pl.DataFrame, random: np.random.Generator) -> Any:
    return random.normal(50, 10, frame.height)


def _put(name: str, value: Any, share: float) -> Grow:
    """Overwrites a share of a column by a value."""

    def plant(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        hit = pl.Series(random.random(frame.height) < share)
        return frame.with_columns(pl.when(hit).then(pl.lit(value)).otherwise(pl.col(name)).alias(name))

    return plant


def _is_yes(frame: pl.DataFrame) -> Any:
    return (frame["y"] == YES).to_numpy()


def _copies(share: float, change: Callable[[pl.DataFrame], pl.DataFrame]) -> Grow:
    """Appends changed copies of the first rows."""
    return lambda frame, random: pl.concat([frame, change(frame.head(int(share * frame.height)))]).sample(
        fraction=1.0, shuffle=True, seed=1
    )


def _jittered(frame: pl.DataFrame) -> pl.DataFrame:
    floats = [name for name, dtype in frame.schema.items() if dtype.is_float()]
    return frame.with_columns(pl.col(floats) + pl.col(floats).std() * 0.0003)


def _flipped(share: float) -> Grow:
    """A clear answer, and a share of wrong labels."""

    def plant(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
        truth = random.random(frame.height) < 0.5
        parts = {f"s{n}": truth * 2.5 + random.normal(size=frame.height) for n in range(5)}
        wrong = random.random(frame.height) < share
        return frame.with_columns(
            **{k: pl.Series(v) for k, v in parts.items()}, y=pl.Series(np.where(truth ^ wrong, YES, "no"))
        )

    return plant


def _labelled(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Moments of prediction and of the label, and a column that measures the delay between them."""
    delay = random.integers(1, 90, frame.height)
    asked = pl.Series("asked", [dt.datetime(2024, 1, 1)] * frame.height) + pl.Series(  # noqa: DTZ001 - tables hold times without a zone
        [dt.timedelta(hours=int(h)) for h in random.integers(0, 8000, frame.height)]
    )
    known = asked + pl.Series([dt.timedelta(days=int(d)) for d in delay])
    open_case = pl.Series(random.random(frame.height) < 0.3)
    closing = pl.Series(random.normal(size=frame.height)).set(open_case, None)
    closed = asked + pl.Series([dt.timedelta(days=400)] * frame.height)
    frame = frame.with_columns(
        asked=asked, known=known, took=pl.Series(delay * 24.0 + 0.5), closing=closing, closed=closed
    )
    return frame.with_columns(known=pl.when(open_case).then(None).otherwise(pl.col("known")))


def _dates(pattern: str) -> Any:
    return lambda frame, random: [
        (dt.date(2020, 1, 1) + dt.timedelta(days=int(day))).strftime(pattern)
        for day in random.integers(0, 700, frame.height)
    ]


def _formula(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    one, two = random.normal(size=(2, frame.height))
    return frame.with_columns(one=pl.Series(one), two=pl.Series(two), y=pl.Series(one * 3 + two))


def _grouped(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    person = random.integers(0, 40, frame.height)
    fate, height = random.random(40) < 0.5, random.normal(size=40)
    return frame.with_columns(
        person_id=pl.Series(person),
        height=pl.Series(height[person]),
        y=pl.Series(np.where(random.random(frame.height) < np.where(fate[person], 0.8, 0.2), YES, "no")),
    )


def _texts(frame: pl.DataFrame, random: np.random.Generator) -> list[str]:
    """Messages of sixteen words; one in ten is an earlier one with a word at its end changed."""
    words = np.array([f"word{n}" for n in range(500)])
    texts = [" ".join(random.choice(words, 20)) for _ in range(frame.height)]
    for place in range(0, frame.height - 10, 10):
        texts[place + 5] = texts[place].rsplit(" ", 1)[0] + " changed"
    return texts


def _drifting(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    step = np.arange(frame.height)
    late = random.random(frame.height) < 0.1 + 0.8 * step / frame.height
    return frame.with_columns(
        step=pl.Series(step),
        sensor=pl.Series(random.normal(size=frame.height) + step / 400),
        y=pl.Series(np.where(late, YES, "no")),
    )


def _shouted(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Some of the plans in capitals, with a space after them."""
    hit = pl.Series(random.random(frame.height) < 0.1)
    return frame.with_columns(plan=pl.when(hit).then(pl.col("plan").str.to_uppercase() + " ").otherwise(pl.col("plan")))


def _shifted_lines(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    parts = random.normal(size=(frame.height, 6))
    parts[:4] += 60
    return frame.with_columns(pl.Series(f"m{n}", parts[:, n]) for n in range(6))


def _zeros_added(frame: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """A number that follows two others, with a zero too many in eight rows."""
    size, floor = random.uniform(20, 200, frame.height), random.integers(0, 9, frame.height)
    price = 1_000 + 30 * size + 100 * floor + random.normal(0, 200, frame.height)
    price[random.choice(frame.height, 8, replace=False)] *= 10
    return frame.with_columns(size=size, floor=floor, y=price)


FAULTS: tuple[Fault, ...] = (
    Fault("missing-values", "gappy", _gaps("gappy", _normal, _some(0.3))),
    Fault("missing-values", "hollow", _gaps("hollow", _normal, _some(0.8))),
    Fault(
        "missing-tells",
        "after",
        _gaps("after", _normal, lambda f, r: r.random(f.height) < np.where(_is_yes(f), 0.1, 0.6)),
    ),
    Fault(
        "missing-together",
        "lab_a, lab_b",
        lambda f, r: _gaps("lab_b", _normal, lambda g, _: g["lab_a"].is_null().to_numpy())(
            _gaps("lab_a", _normal, _some(0.2))(f, r), r
        ),
    ),
    Fault("empty-column", "void", lambda f, _: f.with_columns(void=pl.lit(None, pl.Float64))),
    Fault("constant-column", "still", lambda f, _: f.with_columns(still=pl.lit(7))),
    Fault(
        "nearly-constant-column", "nearly", _column("nearly", lambda f, r: np.where(np.arange(f.height) < 4, "b", "a"))
    ),
    Fault("duplicate-rows", "", _copies(0.05, lambda f: f)),
    Fault("near-duplicate-rows", "", _copies(0.05, _jittered)),
    Fault("near-duplicate-texts", "note", _column("note", _texts)),
    Fault(
        "contradictory-labels",
        "y",
        _copies(
            0.05, lambda f: f.with_columns(y=pl.when(pl.col("y") == YES).then(pl.lit("no")).otherwise(pl.lit(YES)))
        ),
    ),
    Fault("identifier", "account", _column("account", lambda f, r: [f"AC{n:07}" for n in r.permutation(f.height)])),
    Fault("identifier", "line", _column("line", lambda f, r: r.permutation(f.height) + 5_000)),
    Fault("identifier", "epoch", _column("epoch", lambda f, r: np.sort(r.choice(10**9, f.height, replace=False)))),
    Fault(
        "identifier",
        "session",
        _column("session", lambda f, r: [str(uuid.UUID(int=int(n) * 7**40)) for n in r.integers(1, 300, f.height)]),
    ),
    Fault("id-repeats", "key", _column("key", lambda f, r: [f"k{n % 1_800}" for n in range(f.height)]), {"id": "key"}),
    Fault(
        "high-cardinality",
        "street",
        _column("street", lambda f, r: [f"street {n}" for n in r.integers(0, 900, f.height)]),
    ),
    Fault(
        "rare-categories",
        "colour",
        _column(
            "colour", lambda f, r: r.choice(["red", "blue", "teal", "puce"], f.height, p=[0.6, 0.398, 0.001, 0.001])
        ),
    ),
    Fault(
        "mixed-types",
        "mixed",
        _column(
            "mixed", lambda f, r: np.where(r.random(f.height) < 0.3, "twelve", r.integers(0, 40, f.height).astype(str))
        ),
    ),
    Fault("numbers-as-text", "texted", _column("texted", lambda f, r: r.integers(0, 400, f.height).astype(str))),
    Fault(
        "decimal-comma",
        "price",
        _column("price", lambda f, r: [f"{n:.2f}".replace(".", ",") for n in r.gamma(2, 20, f.height)]),
    ),
    Fault(
        "decimal-comma",
        "sum",
        _column(
            "sum",
            lambda f, r: [f"{1000 + n:,.1f}".replace(",", " ").replace(".", ",") for n in r.integers(0, 300, f.height)],
        ),
    ),
    Fault("dates-as-text", "day", _column("day", _dates("%d.%m.%Y"))),
    Fault("dates-as-text", "us_day", _column("us_day", _dates("%m/%d/%y"))),
    Fault("dates-as-text", "named_day", _column("named_day", _dates("%d %b %Y"))),
    Fault("dates-as-numbers", "yyyymmdd", _column("yyyymmdd", lambda f, r: [int(d) for d in _dates("%Y%m%d")(f, r)])),
    Fault("placeholder-value", "plan", _put("plan", "N/A", 0.05)),
    Fault(
        "placeholder-value",
        "days",
        _column("days", lambda f, r: np.where(r.random(f.height) < 0.05, -999, r.integers(0, 28, f.height))),
    ),
    Fault(
        "placeholder-value",
        "visits",
        _column("visits", lambda f, r: np.where(r.random(f.height) < 0.2, 9999, r.integers(0, 50, f.height))),
    ),
    Fault("spelling-variants", "plan", _shouted),
    Fault("broken-text", "town", _column("town", lambda f, r: r.choice(["MÃ¼nchen", "KÃ¶ln", "Rome"], f.height))),
    Fault("invisible-characters", "code", _column("code", lambda f, r: r.choice(["A\u200b1", "A1", "B2"], f.height))),
    Fault(
        "invisible-characters",
        "zone",
        _column("zone", lambda f, r: r.choice(["north\u00a0side", "north side", "south"], f.height)),
    ),
    Fault("impossible-values", "age", _put("age", 430, 0.02), {"ranges": {"age": [0, 120]}}),
    Fault("impossible-values", "amount", _put("amount", -5.0, 0.002), {"ranges": {"amount": [0, None]}}),
    Fault("range-without-numbers", "plan", lambda f, _: f, {"ranges": {"plan": [0, 1]}}),
    Fault(
        "outliers",
        "x0",
        lambda f, _: f.with_columns(x0=pl.when(pl.int_range(pl.len()) == 9).then(4_000.0).otherwise(pl.col("x0"))),
    ),
    Fault("strange-rows", "", _shifted_lines),
    Fault("skewed", "income", _column("income", lambda f, r: r.lognormal(sigma=2, size=f.height))),
    Fault(
        "zero-inflated",
        "claims",
        _column("claims", lambda f, r: np.where(r.random(f.height) < 0.8, 0, r.gamma(2, 50, f.height))),
    ),
    Fault("imbalance", "y", lambda f, r: f.with_columns(y=pl.Series(np.where(r.random(f.height) < 0.02, YES, "no")))),
    Fault(
        "small-class",
        "maybe",
        lambda f, _: f.with_columns(
            y=pl.when(pl.int_range(pl.len()) < 20).then(pl.lit("maybe")).otherwise(pl.col("y"))
        ),
    ),
    Fault("small-sample", "", lambda f, _: f.head(400)),
    Fault(
        "collinear-features",
        "cm, inch",
        lambda f, r: f.with_columns(cm=pl.Series(r.normal(170, 9, f.height))).with_columns(inch=pl.col("cm") / 2.54),
    ),
    Fault("copied-column", "again", lambda f, _: f.with_columns(again=pl.col("x0"))),
    Fault("row-order", "y", lambda f, _: f.sort("y")),
    Fault(
        "row-order",
        "y",
        lambda f, r: f.with_columns(y=pl.Series(np.where(np.repeat(r.random(f.height // 5) < 0.5, 5), YES, "no"))),
    ),
    Fault("target-drift", "y", _drifting, {"time": "step"}),
    Fault("feature-drift", "sensor", _drifting, {"time": "step"}),
    Fault("time-outside-split", "step", _drifting, {"time": "step"}, {"strategy": "random"}),
    Fault(
        "target-proxy",
        "refund",
        _column("refund", lambda f, r: np.where(_is_yes(f), 1.0, 0.0) + r.normal(0, 0.05, f.height)),
    ),
    Fault(
        "target-proxy",
        "reason",
        _column("reason", lambda f, r: np.where(_is_yes(f), r.choice(["dear", "moved"], f.height), "none")),
    ),
    Fault("target-identity", "one", _formula),
    Fault("undeclared-group", "person_id", _grouped),
    Fault("group-outside-split", "person_id", _grouped, {"group": "person_id"}, {"strategy": "random"}),
    Fault("later-than-prediction", "closed", _labelled, {"prediction_time": "asked"}),
    Fault("unusable-weights", "w", _column("w", lambda frame, _: np.arange(frame.height) - 1.0), {"weight": "w"}),
    Fault("uneven-weights", "w", _column("w", lambda frame, random: random.pareto(0.8, frame.height)), {"weight": "w"}),
    Fault("filled-with-label", "closing", _labelled, {"prediction_time": "asked", "label_time": "known"}),
    Fault("measures-label-delay", "took", _labelled, {"prediction_time": "asked", "label_time": "known"}),
    Fault("label-errors", "y", _flipped(0.04)),
    Fault("target-errors", "y", _zeros_added),
)
