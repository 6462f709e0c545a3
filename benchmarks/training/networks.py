"""Networks beside boosting, and in blends with it: out-of-fold scores of default configurations on five folds.

Each family is fitted by the folds of one division, watched where it can be; the blends are cross-fitted, as those of a run are::

    python benchmarks/training/networks.py
    python benchmarks/training/networks.py --tables bike churn --data ../shared/data
"""

import argparse
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from tables import QUESTIONS, ROOT, Question, divided
from threadpoolctl import threadpool_limits

from modelyard.data import infer_schema
from modelyard.features.encoder import TableEncoder
from modelyard.problem import FeaturePlan, Task
from modelyard.training.blending.weights import cross_fitted
from modelyard.training.families.boosting.stages import HeldRows, WatchedFamily, joint_rounds
from modelyard.training.families.family import Family, FitData
from modelyard.training.families.registry import FAMILIES
from modelyard.training.metrics import score

ROWS = {"churn": 4_900, "adult": 6_000, "bank": 6_000, "ames": 2_051, "bike": 5_000, "diabetes": 309, "digits": 1_257}
BOOSTED, NETWORKS = ("lightgbm", "catboost"), ("mlp", "realmlp")
FOLDS = 5

Matrix = np.ndarray[Any, np.dtype[np.float64]]


def main() -> None:
    """Print a line for each table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--tables", nargs="+", default=list(ROWS), choices=list(ROWS))
    parser.add_argument("--data", type=Path, help="a folder with ames_housing.parquet")
    given = parser.parse_args()
    names = (*BOOSTED, *NETWORKS)
    blends = [BOOSTED, *((*BOOSTED, network) for network in NETWORKS)]
    heads = [*names, *("+".join(blend) for blend in blends), *(f"{name}, s" for name in names)]
    print(f"| table | {' | '.join(heads)} |\n|{'---|' * (1 + len(heads))}")
    for name in given.tables:
        parts = divided(name, 1, ROOT / ".cache" / "bench" / "training", given.data)
        if parts is not None:
            figures = measured(QUESTIONS[name], pl.read_parquet(parts[0]), ROWS[name], names, blends)
            print(f"| {name} | {' | '.join(f'{figure:.5g}' for figure in figures)} |", flush=True)


def measured(
    question: Question, table: pl.DataFrame, rows: int, names: Sequence[str], blends: Sequence[tuple[str, ...]]
) -> Iterator[float]:
    """Scores of the families, of the blends, and seconds of one core."""
    random = np.random.default_rng(0)
    table = table[random.permutation(table.height)[:rows]]
    task = Task(question.kind)
    truth, classes = _truth(question, table[question.target])
    owner = random.permutation(len(truth)) % FOLDS
    held = [np.flatnonzero(owner == fold) for fold in range(FOLDS)]
    columns = tuple(column for column in infer_schema(table).columns if column.name != question.target)

    def encoded(family: Family, fold: int) -> tuple[FitData, HeldRows]:
        learnt = np.flatnonzero(owner != fold)
        encoder = TableEncoder(columns, family.style, classes=classes, plan=FeaturePlan())
        matrix = encoder.fit_transform(table[learnt], truth[learnt])
        stop = np.arange(len(learnt)) % 7 == 0
        known = np.ones(len(held[fold]), dtype=bool)
        rest = encoder.transform(table[held[fold]])
        return FitData(task, matrix, truth[learnt], stop), HeldRows(rest, truth[held[fold]], known)

    answers, seconds = dict[str, Matrix](), list[float]()
    with ProcessPoolExecutor() as pool:
        for name in names:
            family = FAMILIES[name]
            work = [(family, *encoded(family, fold)) for fold in range(FOLDS)]
            made = list(pool.map(_fitted, *zip(*work, strict=True)))
            truths = [rows.target for _, _, rows in work]
            _, best = joint_rounds(task, [one[0] for one in made], [one[1] for one in made], truths)
            answers[name] = np.concatenate(best)[np.argsort(np.concatenate(held))]
            seconds.append(sum(one[2] for one in made))
    mixed = [
        cross_fitted({name: answers[name] for name in blend}, truth, held, question.metric, forward=False)
        for blend in blends
    ]
    for one in (*answers.values(), *mixed):
        yield float(np.mean([score(question.metric, truth[part], one[part]) for part in held]))
    yield from seconds


def _fitted(family: Family, data: FitData, held: HeldRows) -> tuple[tuple[int, ...], Matrix, float]:
    """Rounds, the answers after them, and seconds."""
    start, params = time.perf_counter(), family.defaults(data.task)
    with threadpool_limits(1):
        if isinstance(family, WatchedFamily):
            watched = family.watch(data, params, held, seed=1)
            return watched.rounds, watched.answers, time.perf_counter() - start
        estimator = family.fit(data, params, seed=1).estimator
        answers = (
            estimator.predict_proba(held.matrix) if data.task.is_classification else estimator.predict(held.matrix)
        )
    one = answers[:, 1] if answers.ndim == 2 and answers.shape[1] == 2 else answers
    return (1,), np.asarray(one)[np.newaxis], time.perf_counter() - start


def _truth(question: Question, target: pl.Series) -> tuple[Matrix, int]:
    """Values or codes, and the number of classes."""
    if question.kind == "regression":
        return target.to_numpy().astype(np.float64), 0
    known = sorted(target.cast(pl.String).unique().to_list())
    return np.searchsorted(known, target.cast(pl.String).to_list()).astype(np.float64), len(known)


if __name__ == "__main__":
    main()
