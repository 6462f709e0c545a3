"""Explanations add up, hold the contract, are on record like every prediction, and are bounded."""

import asyncio
import math
from collections.abc import Callable
from typing import Any

import pytest

from modelyard.serving import ServingApp, read_predictions
from modelyard.serving.formats import ParsedRows, RefusedRequestError

Call = Callable[..., Any]


def test_one_row_is_predicted_and_explained(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """Baseline and amounts add up to the raw score, whose logistic function is the score; the answer is on record."""
    answer = call("POST", "/explain", row).json()
    prediction, why = answer["prediction"], answer["explanation"]
    amounts = [item["amount"] for item in why["contributions"]]

    assert math.isclose(why["baseline"] + sum(amounts), why["raw_score"], abs_tol=1e-12)
    assert math.isclose(1 / (1 + math.exp(-why["raw_score"])), prediction["score"], abs_tol=1e-9)
    assert (why["scale"], why["method"], why["explained_class"]) == ("log-odds", "exact", "Yes")
    assert {item["field"]: item["value"] for item in why["contributions"]} == row
    assert amounts == sorted(amounts, key=abs, reverse=True)
    assert read_predictions(app.settings.log_folder)["id"].to_list() == [prediction["id"]]


def test_the_summary_names_the_largest_fields(call: Call, row: dict[str, Any]) -> None:
    """A sentence gives the three largest contributions with their values, a missing one too."""
    why = call("POST", "/explain", row).json()["explanation"]
    first = why["contributions"][0]
    verb = "raises" if first["amount"] > 0 else "lowers"

    assert f"{first['field']} = {first['value']} {verb} it by {abs(first['amount']):.3g}" in why["summary"]
    assert why["summary"].startswith(f"An average row has {why['baseline']:.3g} as the log-odds of Yes, this one ")
    assert why["summary"].count(" it by ") == 3


def test_rows_come_back_in_order(call: Call, row: dict[str, Any]) -> None:
    """A list of rows gets a list of explanations, each that of the row alone."""
    rows = [row, {**row, "tenure": 60}]
    found = call("POST", "/explain", rows).json()["explanations"]
    alone = [call("POST", "/explain", item).json()["explanation"] for item in rows]

    assert [item["explanation"] for item in found] == alone
    assert alone[0]["raw_score"] != alone[1]["raw_score"]


def test_the_contract_holds(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """A wrong type is refused by name, a value beyond the range is explained and flagged."""
    broken = call("POST", "/explain", {**row, "tenure": "old"})
    strange = call("POST", "/explain", {**row, "tenure": 900}).json()

    assert (broken.status, broken.json()["errors"][0]["field"]) == (422, "tenure")
    assert [flag["field"] for flag in strange["prediction"]["flags"]] == ["tenure"]


def test_too_many_rows_are_refused(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """More rows than the explainer takes are 413, and nothing is logged."""
    most = app.endpoint.active.scorer.explainer.most_rows
    response = call("POST", "/explain", [row] * (most + 1))

    assert (response.status, response.json()["type"]) == (413, "urn:modelyard:problem:too-many-rows")
    assert app.answering.predictions.records_written == 0


def test_a_long_line_is_refused(app: ServingApp, row: dict[str, Any]) -> None:
    """Eight wait for their turn, further ones are told at once to come again; all that waited are answered."""

    async def ask_at_once() -> list[Any]:
        ask = [app.explaining.answer(app.endpoint.active, ParsedRows([row], is_single=True), 0.0) for _ in range(10)]
        answers: list[Any] = await asyncio.gather(*ask, return_exceptions=True)
        return answers

    answers = asyncio.run(ask_at_once())
    refused = [answer for answer in answers if isinstance(answer, RefusedRequestError)]

    assert [error.status for error in refused] == [503, 503]
    assert sum("explanation" in answer for answer in answers if isinstance(answer, dict)) == 8


def test_a_model_of_too_many_columns_is_refused(
    app: ServingApp, call: Call, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where sampling a single row would take too long the answer is 422 in one sentence."""
    explainer = app.endpoint.active.scorer.explainer
    explainer.__dict__["scale"] = ""
    monkeypatch.setattr(explainer, "_columns", tuple(f"c{number}" for number in range(3_000)))
    response = call("POST", "/explain", row)

    assert (response.status, response.json()["type"]) == (422, "urn:modelyard:problem:no-explanation")
    assert "too many columns" in response.json()["detail"]
