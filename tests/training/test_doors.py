"""The room's door is light."""

import subprocess
import sys


def test_importing_the_room_loads_no_heavy_library() -> None:
    """Records and executors come without scikit-learn, boosting libraries, Optuna or MLflow."""
    heavy = ("sklearn", "lightgbm", "xgboost", "optuna", "mlflow", "joblib")
    code = f"import sys, modelyard.training; print([name for name in {heavy!r} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)

    assert result.stdout.strip() == "[]"
