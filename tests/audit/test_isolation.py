import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.ensemble import IsolationForest

from modelyard.audit.isolation import isolation_scores


def test_the_scores_are_those_of_scikit_learn(data_folder: Path) -> None:
    """On real numbers the scores agree with scikit-learn's forest as well as two of its own forests agree."""
    table = pl.read_parquet(data_folder / "parkinsons_telemonitoring.parquet").select(pl.selectors.float())
    matrix = table.head(2_000).to_numpy()

    theirs = [
        -IsolationForest(n_estimators=100, max_samples=256, random_state=seed).fit(matrix).score_samples(matrix)
        for seed in (0, 1)
    ]
    ours = isolation_scores(matrix, seed=0)
    among_themselves = float(np.corrcoef(*theirs)[0, 1])
    assert abs(float(ours.mean() - theirs[0].mean())) < 0.01
    assert float(np.corrcoef(ours, theirs[0])[0, 1]) > among_themselves - 0.01
    assert float(np.abs(ours - theirs[0]).mean()) < 0.02


def test_equal_rows_and_constant_columns_have_nothing_to_cut() -> None:
    """Where no row can be parted all scores are equal; a lone row is the strangest."""
    still = np.ones((300, 3))
    lone = still.copy()
    lone[7] = 5.0

    assert np.ptp(isolation_scores(still, seed=1)) == 0.0
    assert int(isolation_scores(lone, seed=1).argmax()) == 7


def test_an_audit_of_numbers_loads_no_scikit_learn(data_folder: Path) -> None:
    """An audit in which no model is asked starts without the second that scikit-learn's import takes."""
    code = (
        "import sys, polars as pl\n"
        "from modelyard.audit import audit\n"
        "from modelyard.data import Dataset, assign_roles, infer_schema, resolve\n"
        "from modelyard.problem import Problem\n"
        f"frame = pl.read_parquet({str(data_folder / 'telco_churn.parquet')!r})\n"
        "problem = resolve(Problem.model_validate({'data': {'source': 't', 'target': 'Churn'}}), frame)\n"
        "schema = infer_schema(frame)\n"
        "report = audit(Dataset('t', frame, schema), problem, assign_roles(problem, schema), seed=0)\n"
        "print('strange-rows' in report.checks, sorted({'sklearn', 'lightgbm', 'pandas', 'scipy'} & set(sys.modules)))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)

    assert said.stdout.strip() == "True []"
