"""How often one division into folds chooses another model than three do, and what the choice costs, by the number of rows.

For each number of rows: samples of a table with a planted signal, four models that are close to one another, fivefold scores on
three divisions, and the truth on 10,000 rows that nobody learnt from. ``regret`` is by how much the chosen model's true
ROC AUC is below the best model's. Run: ``python benchmarks/training/repeats.py``.
"""

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from modelyard.training.folds import RowKeys, plan_folds

SIZES = (250, 500, 1_000, 2_500, 5_000)
SAMPLES = 160
DIVISIONS = 3


def models() -> list[Any]:
    """Four that are close to one another."""
    return [
        LogisticRegression(C=0.01),
        DecisionTreeClassifier(max_depth=4, min_samples_leaf=10, random_state=0),
        DecisionTreeClassifier(max_leaf_nodes=24, min_samples_leaf=10, random_state=0),
        DecisionTreeClassifier(max_depth=3, min_samples_leaf=20, random_state=0),
    ]


def sample(rows: int, generator: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Half linear, half steps."""
    matrix = generator.normal(size=(rows, 8))
    steps = 1.2 * ((matrix[:, 0] > 0) & (matrix[:, 1] > 0)) + 0.9 * (matrix[:, 2] > 0.5)
    score = steps + 0.45 * matrix[:, 3] + 0.3 * matrix[:, 4] + generator.logistic(size=rows)
    return matrix, (score > np.median(score)).astype(float)


def scores(matrix: np.ndarray, truth: np.ndarray, seed: int) -> list[float]:
    """Mean AUC over five folds, by model."""
    keys = RowKeys("stratified", truth.astype(np.int64), np.empty(0, dtype=np.int64))
    plan, found = plan_folds(keys, 5, seed), []
    for model in models():
        parts = []
        for fold in plan.folds:
            fitted = model.fit(matrix[fold.train], truth[fold.train])
            parts.append(roc_auc_score(truth[fold.held], fitted.predict_proba(matrix[fold.held])[:, 1]))
        found.append(float(np.mean(parts)))
    return found


def main() -> None:
    """Print a line for each number of rows."""
    print("rows   wrong by one  by three   regret of one  of three")
    for rows in SIZES:
        wrong, regret = np.zeros(2), np.zeros(2)
        for number in range(SAMPLES):
            generator = np.random.default_rng([rows, number])
            matrix, truth = sample(rows, generator)
            fresh, answers = sample(10_000, generator)
            worth = [roc_auc_score(answers, model.fit(matrix, truth).predict_proba(fresh)[:, 1]) for model in models()]
            table = np.array([scores(matrix, truth, seed) for seed in range(DIVISIONS)])
            for place, means in enumerate((table[0], table.mean(axis=0))):
                chosen = int(np.argmax(means))
                wrong[place] += chosen != int(np.argmax(worth))
                regret[place] += max(worth) - worth[chosen]
        one, three = wrong / SAMPLES
        print(f"{rows:<6} {one:12.2f} {three:9.2f} {regret[0] / SAMPLES:15.5f} {regret[1] / SAMPLES:9.5f}", flush=True)


if __name__ == "__main__":
    main()
