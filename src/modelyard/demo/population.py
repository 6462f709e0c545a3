"""The demo's three tables, drawn from real customers: the history, a quiet month, and the months after a launch.

The company of the demo has just launched fibre. Its history holds few fibre customers; a quiet month looks like the
history; after the launch most customers have fibre. Every row is a real customer of the telco data set and appears in
one table only; what is made up is the order in which they come.
"""

import dataclasses
import importlib.resources
import io

import polars as pl

__all__ = ["Population", "make_population"]

_FIBRE = "Fiber optic"
_FIBRE_SHARE_BEFORE = 0.05
_HISTORY_SHARE = 0.75
_QUIET_ROWS = 800


@dataclasses.dataclass(frozen=True)
class Population:
    """The three tables, each with all columns of the telco data set, the target ``Churn`` included."""

    history: pl.DataFrame
    quiet: pl.DataFrame
    launch: pl.DataFrame


def make_population(seed: int = 0) -> Population:
    """Deal the 7,043 customers to the three tables; the same seed gives the same tables."""
    customers = _customers().sample(fraction=1.0, shuffle=True, seed=seed)
    fibre = customers.filter(pl.col("InternetService") == _FIBRE)
    others = customers.filter(pl.col("InternetService") != _FIBRE)
    before = round(others.height * _FIBRE_SHARE_BEFORE)
    pioneers, joiners = fibre.head(before), fibre.tail(-before)
    known = pl.concat([others, pioneers]).sample(fraction=1.0, shuffle=True, seed=seed + 1)
    cut = round(known.height * _HISTORY_SHARE)
    rest = known.tail(-cut)
    launch = pl.concat([rest.tail(-_QUIET_ROWS), joiners]).sample(fraction=1.0, shuffle=True, seed=seed + 2)
    return Population(known.head(cut), rest.head(_QUIET_ROWS), launch)


def _customers() -> pl.DataFrame:
    """The table that ships with the package."""
    raw = importlib.resources.files("modelyard.demo").joinpath("telco.csv").read_bytes()
    return pl.read_csv(io.BytesIO(raw), schema_overrides={"TotalCharges": pl.Float64})
