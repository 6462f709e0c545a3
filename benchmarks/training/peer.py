"""A peer on one question, in an environment of its own. Prints one line of JSON; writes the predictions of the test rows.

Arguments: tool train.parquet test.parquet target kind budget-in-seconds group-or-dash predictions.parquet.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Predict = Callable[[pd.DataFrame], pd.DataFrame]


def main() -> None:
    """Train, predict, and time one row."""
    tool, train_file, test_file, target, kind, budget, group, out = sys.argv[1:9]
    train, test = pd.read_parquet(train_file), pd.read_parquet(test_file)
    if kind != "regression":
        train[target], test[target] = train[target].astype(str), test[target].astype(str)
    start = time.perf_counter()
    predict = _TOOLS[tool](train, target, kind, float(budget), None if group == "-" else group)
    spent = time.perf_counter() - start
    rows = test.drop(columns=[target])
    predict(rows).to_parquet(out)
    times = []
    for index in range(min(30, len(rows))):
        row = rows.iloc[[index]]
        begin = time.perf_counter()
        predict(row)
        times.append(time.perf_counter() - begin)
    print(json.dumps({"train_s": spent, "row_ms": float(np.median(times)) * 1e3}))


def autogluon(train: pd.DataFrame, target: str, kind: str, budget: float, group: str | None, preset: str) -> Predict:
    """AutoGluon; bags keep groups together where there are any."""
    from autogluon.tabular import TabularPredictor

    metric = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "root_mean_squared_error"}[kind]
    predictor = TabularPredictor(
        label=target, eval_metric=metric, path=tempfile.mkdtemp(), groups=group, problem_type=kind, verbosity=0
    ).fit(train, presets=preset, time_limit=budget, num_cpus=2)
    if kind == "regression":
        return lambda rows: pd.DataFrame({"answer": predictor.predict(rows)})
    return lambda rows: _answers(predictor.predict_proba(rows), kind)


def flaml(train: pd.DataFrame, target: str, kind: str, budget: float, group: str | None) -> Predict:
    """FLAML with its ensemble, which it recommends for quality."""
    from flaml import AutoML

    metric = {"binary": "roc_auc", "multiclass": "log_loss", "regression": "rmse"}[kind]
    task = "regression" if kind == "regression" else "classification"
    model, more = AutoML(), {}
    if group is not None:
        more = {"split_type": "group", "groups": train[group].to_numpy()}
    model.fit(
        train.drop(columns=[target]),
        train[target],
        task=task,
        metric=metric,
        time_budget=budget,
        n_jobs=2,
        verbose=0,
        seed=0,
        ensemble=group is None,
        **more,
    )
    return _of(model, kind)


def mljar(train: pd.DataFrame, target: str, kind: str, budget: float, group: str | None) -> Predict:
    """mljar-supervised in its mode for competitions of quality; it knows no groups."""
    from supervised import AutoML

    del group
    metric = {"binary": "auc", "multiclass": "logloss", "regression": "rmse"}[kind]
    task = {"binary": "binary_classification", "multiclass": "multiclass_classification", "regression": "regression"}[
        kind
    ]
    model = AutoML(
        mode="Compete",
        ml_task=task,
        eval_metric=metric,
        total_time_limit=int(budget),
        results_path=tempfile.mkdtemp(),
        n_jobs=2,
        verbose=0,
        random_state=0,
    )
    model.fit(train.drop(columns=[target]), train[target])
    return _of(model, kind)


def lightgbm(train: pd.DataFrame, target: str, kind: str, budget: float, group: str | None) -> Predict:
    """LightGBM as it comes, categories by their type; it knows neither budget nor groups."""
    from lightgbm import LGBMClassifier, LGBMRegressor

    del budget, group
    names = [name for name in train.columns if name != target and not pd.api.types.is_numeric_dtype(train[name])]
    levels = {name: pd.CategoricalDtype(sorted(train[name].dropna().astype(str).unique())) for name in names}

    def typed(rows: pd.DataFrame) -> pd.DataFrame:
        return rows.assign(**{name: rows[name].astype(str).astype(kind_) for name, kind_ in levels.items()})

    made = (LGBMRegressor if kind == "regression" else LGBMClassifier)(n_jobs=2, verbosity=-1)
    made.fit(typed(train.drop(columns=[target])), train[target])
    inner = _of(made, kind)
    return lambda rows: inner(typed(rows))


def _of(model: Any, kind: str) -> Predict:
    """What an estimator with scikit-learn's methods answers."""
    if kind == "regression":
        return lambda rows: pd.DataFrame({"answer": np.asarray(model.predict(rows)).ravel()})
    classes = getattr(model, "classes_", None)
    names = [str(name) for name in (getattr(model, "_classes", []) if classes is None else classes)]
    return lambda rows: _answers(pd.DataFrame(model.predict_proba(rows), columns=names or None), kind)


def _answers(probabilities: pd.DataFrame, kind: str) -> pd.DataFrame:
    """The second of two classes, in the order of their names; or all classes."""
    probabilities.columns = [str(name) for name in probabilities.columns]
    if kind == "binary":
        return pd.DataFrame({"answer": probabilities[sorted(probabilities.columns)[1]]})
    return probabilities


_TOOLS: dict[str, Callable[..., Predict]] = {
    "autogluon-medium": lambda *given: autogluon(*given, "medium_quality"),
    "autogluon-high": lambda *given: autogluon(*given, "high_quality"),
    "flaml": flaml,
    "mljar": mljar,
    "lightgbm": lightgbm,
}

if __name__ == "__main__":
    main()
