"""``--help`` knows names, not rooms."""

import subprocess
import sys

import pytest

HEAVY = (
    "numpy",
    "pandas",
    "polars",
    "pyarrow",
    "sklearn",
    "scipy",
    "mlflow",
    "torch",
    "fastapi",
    "lightgbm",
    "xgboost",
    "optuna",
    "sqlalchemy",
)

COMMANDS = [
    "new",
    "check",
    "explain",
    "contract",
    "correct",
    "audit",
    "train",
    "sync",
    "evaluate",
    "package",
    "bench",
    "register",
    "approve",
    "reject",
    "promote",
    "deploy",
    "rollout",
    "rollback",
    "token",
    "gates",
    "validate",
    "review-break-glass",
    "changes",
    "lineage",
    "trace",
    "mirror",
    "inventory",
    "impact",
    "records",
    "erase",
    "image",
    "bundle",
    "export",
    "serve",
    "score",
    "monitor",
    "retrain",
    "alerts",
    "event",
    "review",
    "replay",
    "skew",
    "tick",
    "watch",
    "label",
    "data",
    "ledger",
    "status",
    "demo",
]


def _modules_after(code: str) -> set[str]:
    """Top-level names of the modules loaded by a fresh interpreter that ran ``code``."""
    script = f"import sys\n{code}\nprint(*{{name.partition('.')[0] for name in sys.modules}})"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    return set(result.stdout.splitlines()[-1].split())


def test_help_loads_no_heavy_module() -> None:
    """Asking for help loads none of the data, model or web libraries."""
    code = "from typer.testing import CliRunner; from modelyard.cli.app import app; CliRunner().invoke(app, ['--help'])"

    assert _modules_after(code) & set(HEAVY) == set()


def test_import_loads_no_heavy_module() -> None:
    """``import modelyard`` is as light as the help."""
    assert _modules_after("import modelyard") & set(HEAVY) == set()


def test_opening_a_project_loads_no_library_that_learns() -> None:
    """Every command opens the project; those that fit nothing must not wait for scikit-learn and its like."""
    learning = {
        "sklearn",
        "scipy",
        "lightgbm",
        "xgboost",
        "catboost",
        "optuna",
        "statsmodels",
        "ray",
        "mlflow",
        "pandas",
    }

    assert _modules_after("import modelyard.project") & learning == set()


def test_commands_stand_in_the_order_of_the_life() -> None:
    """The help lists all verbs, from ``new`` to ``demo``."""
    result = subprocess.run(
        [sys.executable, "-m", "modelyard", "--help"], capture_output=True, text=True, check=True, timeout=60
    )
    section = result.stdout.split("Commands:")[1]
    listed = [line.split()[0] for line in section.splitlines() if line.startswith("  ") and line[2] != " "]

    assert listed == COMMANDS


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str) -> None:
    """Each command has a help page with a whole sentence."""
    from typer.testing import CliRunner

    from modelyard.cli.app import app

    result = CliRunner().invoke(app, [command, "--help"])

    assert result.exit_code == 0
    assert "Usage:" in result.stdout
    assert "--json" in result.stdout
