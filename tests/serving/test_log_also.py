"""Fields that the model does not know are logged if the project says so, whichever way a row comes."""

import io
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from tests.serving.conftest import Call, StartServer, running

from modelyard.serving import Endpoint, ServingApp, ServingSettings, activate, read_predictions
from modelyard.serving.prediction_log import LogPolicy

TABLE = "application/vnd.apache.parquet"


def served(package: Path, log: Path, policy: LogPolicy) -> ServingApp:
    """An application with this policy."""
    return ServingApp(Endpoint(activate(package, policy.also)), ServingSettings(package, log, log=policy))


def test_rows_and_tables_bring_the_field_into_the_log(
    package_folder: Path, tmp_path: Path, ask: Call, row: dict[str, Any]
) -> None:
    """JSON and Parquet; what is not named stays out, and the answer is the same with and without it."""
    buffer = io.BytesIO()
    more = {**row, "customer_id": "c-1", "shoe_size": 44}
    pl.DataFrame([{**more, "TotalCharges": 100.0}]).write_parquet(buffer)
    with running(served(package_folder, tmp_path / "log", LogPolicy(also=("customer_id",)))) as app:
        plain = ask(app, "POST", "/predict", row).json()
        named = ask(app, "POST", "/predict", more).json()
        table = ask(app, "POST", "/predict", buffer.getvalue(), content_type=TABLE)
    log = read_predictions(tmp_path / "log")

    assert table.status == 200
    assert plain["score"] == named["score"]
    assert log["feature.customer_id"].to_list() == [None, "c-1", "c-1"]
    assert "feature.shoe_size" not in log.columns


def test_the_field_may_be_hashed(package_folder: Path, tmp_path: Path, ask: Call, row: dict[str, Any]) -> None:
    """It is a column of the log like the others."""
    policy = LogPolicy(also=("customer_id",), personal={"customer_id": "hash"}, key=tmp_path / "log.key")
    with running(served(package_folder, tmp_path / "log", policy)) as app:
        ask(app, "POST", "/predict", {**row, "customer_id": "c-1"})
    (code,) = read_predictions(tmp_path / "log")["feature.customer_id"].to_list()

    assert len(code) == 32
    assert code != "c-1"


@pytest.mark.slow
def test_the_server_takes_the_field_by_its_flag(start_server: StartServer, row: dict[str, Any]) -> None:
    """``--log-also`` of ``python -m modelyard.serving``, in the quick lane of single rows."""
    import httpx

    server = start_server("--log-also", "customer_id")
    answer = httpx.post(f"{server.url}/predict", json={**row, "customer_id": 17})
    log = read_predictions(server.log)

    assert answer.status_code == 200
    assert log["feature.customer_id"].to_list() == [17.0]
