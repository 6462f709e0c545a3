"""The peers' model, in the peers' environment: a scikit-learn pipeline around LightGBM, with as many trees as ours.

Arguments: train.parquet target trees folder. Writes ``pipeline.joblib`` and, for MLflow's server, ``mlflow/``.
"""

import sys
from pathlib import Path

import joblib
import mlflow.sklearn
import pandas as pd
from lightgbm import LGBMClassifier
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder


def main() -> None:
    """Fit and save."""
    table, target, trees, folder = pd.read_parquet(sys.argv[1]), sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])
    rows = table.drop(columns=[target])
    numbers = list(rows.select_dtypes("number").columns)
    names = [name for name in rows.columns if name not in numbers]
    rows[names] = rows[names].astype(object).where(rows[names].notna(), "missing")
    steps = ColumnTransformer(
        [("numbers", SimpleImputer(), numbers), ("names", OneHotEncoder(handle_unknown="ignore"), names)]
    )
    pipeline = make_pipeline(steps, LGBMClassifier(n_estimators=trees, n_jobs=1, verbosity=-1))
    pipeline.fit(rows, table[target].astype(str))
    folder.mkdir(parents=True, exist_ok=True)
    joblib.dump(pipeline, folder / "pipeline.joblib")
    mlflow.sklearn.save_model(
        pipeline,
        folder / "mlflow",
        input_example=rows.head(3),
        pip_requirements=["scikit-learn"],
        serialization_format="cloudpickle",
    )


if __name__ == "__main__":
    main()
