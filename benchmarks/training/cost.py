"""What fits cost on this machine, beside what the cost model of the plan says; and the constants that would fit best.

Every family is fitted with its defaults by the folds of a real run, one worker, one thread, on tables of several shapes. Printed
are the seconds of a fit, the model's, and their ratio; then the model's terms by least squares of the ratios, for classes and for
values, to be written into ``modelyard/training/planning/cost.py``. Nothing else may run meanwhile::

    python benchmarks/training/cost.py --data ../shared/data
    python benchmarks/training/cost.py --families lightgbm catboost --tables churn adult
"""

import argparse
import dataclasses
import itertools
import math
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl
from scipy.optimize import nnls
from tables import QUESTIONS, ROOT, divided

from modelyard.data import load_split
from modelyard.project import Project
from modelyard.training.families.optional import is_installed
from modelyard.training.families.registry import FAMILIES
from modelyard.training.planning import Size, matrix_width
from modelyard.training.planning.cost import fit_seconds

CLASSES = {"churn": 5_000, "adult": 12_000, "bank": 12_000, "digits": 1_300, "breast_cancer": 400}
VALUES = {"ames": 2_930, "bike": 12_000, "diabetes": 442}
ROWS = CLASSES | VALUES
FOLDS = 3
PAIRS = ("nearest_neighbours", "svm")
SORTED = ("random_forest", "extra_trees", "realmlp")
SORTED_FOR_VALUES = (*SORTED, "lightgbm", "xgboost", "catboost", "mlp")
"""Families whose time grows with the square of the rows, and with their sorting; for values trees are deeper, so rows count."""


@dataclasses.dataclass(frozen=True)
class Measured:
    """One family on one table."""

    family: str
    table: str
    size: Size
    seconds: float

    @property
    def ratio(self) -> float:
        """Seconds measured for one predicted."""
        return self.seconds / fit_seconds(self.family, self.size)

    @property
    def terms(self) -> list[float]:
        """What the model's constants are multiplied by."""
        size = self.size
        pairs = size.rows**2 if self.family in PAIRS else 0.0
        by_rows = SORTED_FOR_VALUES if size.of_values else SORTED
        ranks = size.rows * math.log2(size.rows) if self.family in by_rows else 0.0
        return [1.0, size.rows * size.features * size.outputs, pairs, ranks]


def main() -> None:
    """Measure, compare, and fit."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tables", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--families", nargs="+", default=[name for name in FAMILIES if is_installed(name)])
    parser.add_argument("--data", type=Path, help="a folder with ames_housing.parquet")
    given = parser.parse_args()
    found = [item for name in given.tables for item in measured(name, given.families, given.data)]
    print("| family | table | rows | features | seconds | predicted | ratio |\n|---|---|---:|---:|---:|---:|---:|")
    for item in sorted(found, key=lambda item: (item.family, item.table)):
        size = item.size
        print(
            f"| {item.family} | {item.table} | {size.rows:,} | {size.features} | {item.seconds:.3f} "
            f"| {fit_seconds(item.family, size):.3f} | {item.ratio:.2f} |"
        )
    print(
        "\n| family | of | median ratio | start | per cell | per pair | per sorted |\n|---|---|---:|---:|---:|---:|---:|"
    )
    for family, of_values in itertools.product(given.families, (False, True)):
        own = [item for item in found if item.family == family and item.size.of_values is of_values]
        if own:
            start, *terms = fitted(own)
            ratio, told = np.median([item.ratio for item in own]), " | ".join(f"{term:.1e}" for term in terms)
            print(f"| {family} | {'values' if of_values else 'classes'} | {ratio:.2f} | {start:.2g} | {told} |")


def measured(name: str, families: list[str], data: Path | None) -> Iterator[Measured]:
    """Every family on the folds of one table."""
    question = QUESTIONS[name]
    parts = divided(name, 1, ROOT / ".cache" / "bench" / "training", data)
    if parts is None:
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.parquet"
        whole = pl.concat([pl.read_parquet(part) for part in parts])
        whole.sample(min(whole.height, ROWS[name]), seed=1).write_parquet(rows)
        root = Path(folder) / "model"
        Project.new(root, data=rows, target=question.target)
        settings = [
            f"task={question.kind}",
            f"training.families=[{','.join(families)}]",
            f"training.folds={FOLDS}",
            *("training.workers=1", "training.executor=local_pool", "training.tuning_rounds=0", "training.blend=false"),
            *("training.learning_curve=false", "training.imbalance=false"),
        ]
        project = Project.open(root, settings=settings)
        run = project.train(accept="a benchmark").record
        learnt = load_split(run.split_id, project.workspace).train.frame
    size = Size(
        learnt.height * (FOLDS - 1) // FOLDS,
        matrix_width(learnt, run.columns),
        len(run.classes) if len(run.classes) > 2 else 1,
        of_values=question.kind == "regression",
    )
    yield from (
        Measured(item.family, name, size, item.fit_seconds / FOLDS) for item in run.candidates if item.fit_seconds > 0
    )


def fitted(items: list[Measured]) -> list[float]:
    """The constants that bring the ratios nearest to 1."""
    terms = np.array([item.terms for item in items]) / np.array([[item.seconds] for item in items])
    return [float(term) for term in nnls(terms, np.ones(len(items)))[0]]


if __name__ == "__main__":
    main()
