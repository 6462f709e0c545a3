"""The application answers what it can, refuses the rest with 4xx, and never lets an answer leave unlogged."""

import dataclasses
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.core import StateError
from modelyard.serving import ServingApp, ServingSettings, read_feedback, read_predictions
from modelyard.serving.rest import ROUTES

Call = Callable[..., Any]
UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")


def test_one_row_is_answered_and_logged(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """The answer has score, label, model and version under an id that the log knows, with the row as it was sent."""
    answer = call("POST", "/predict", row).json()
    scorer = app.endpoint.active.scorer
    logged = read_predictions(app.settings.log_folder).row(0, named=True)

    assert UUID7.match(answer["id"])
    assert answer["score"] == scorer.score_rows([row])[0]
    assert answer["label"] == scorer.decide(scorer.score_rows([row]))[0]
    assert (answer["flags"], answer["model"], answer["version"]) == ([], scorer.name, scorer.version)
    assert (logged["id"], logged["score"], logged["label"]) == (answer["id"], answer["score"], answer["label"])
    assert logged["feature.tenure"] == row["tenure"]
    assert logged["feature.Contract"] == row["Contract"]
    assert logged["digest"] == scorer.digest
    assert logged["latency_ms"] > 0


def test_lists_columns_and_protocols_agree(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """All bodies give the scores that the scorer gives for the same rows."""
    rows = [row, {**row, "tenure": 60}]
    names = list(row)
    expected = app.endpoint.active.scorer.score_rows(rows).tolist()
    labels = app.endpoint.active.scorer.decide(app.endpoint.active.scorer.score_rows(rows))
    columns = {name: [item[name] for item in rows] for name in names}
    kinds = {str: "BYTES", bool: "BOOL", int: "INT64", float: "FP64", type(None): "FP64"}
    tensors = [
        {"name": name, "shape": [2], "datatype": kinds[type(values[0])], "data": values}
        for name, values in columns.items()
    ]
    name = app.endpoint.active.scorer.name
    inferred = call("POST", f"/v2/models/{name}/infer", {"id": "q7", "inputs": tensors}).json()
    outputs = {output["name"]: output for output in inferred["outputs"]}
    split = {"dataframe_split": {"columns": names, "data": [list(item.values()) for item in rows]}}

    assert [answer["score"] for answer in call("POST", "/predict", rows).json()["predictions"]] == expected
    assert [answer["score"] for answer in call("POST", "/predict", columns).json()["predictions"]] == expected
    assert outputs["score"] == {"name": "score", "shape": [2], "datatype": "FP64", "data": expected}
    assert outputs["label"]["data"] == labels
    assert (inferred["model_name"], inferred["id"]) == (name, "q7")
    assert call("POST", "/invocations", split).json()["predictions"] == [
        {"prediction": label, "score": score} for label, score in zip(labels, expected, strict=True)
    ]
    assert len(read_predictions(app.settings.log_folder)) == 8


def test_how_sure_a_prediction_is_comes_when_asked(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """With ?uncertainty=true each answer has the classes that cannot be ruled out; without it nothing changes."""
    scorer = app.endpoint.active.scorer
    rows = [row, {**row, "tenure": 60}]
    answers = call("POST", "/predict?uncertainty=true", rows).json()["predictions"]

    assert [item["prediction_set"] for item in answers] == scorer.describe(scorer.score_rows(rows))["prediction_set"]
    assert {item["coverage"] for item in answers} == {0.9}
    assert "prediction_interval" not in answers[0]
    assert "prediction_set" not in call("POST", "/predict", row).json()
    assert "prediction_set" not in call("POST", "/predict?uncertainty=false", row).json()


def test_uncertainty_that_cannot_be_given_is_refused(
    app: ServingApp, call: Call, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another value than true or false is refused, and so is a package that cannot say; nothing is logged then."""
    strange = call("POST", "/predict?uncertainty=maybe", row)
    monkeypatch.setattr(app.endpoint.active.scorer, "conformal", None)
    unable = call("POST", "/predict?uncertainty=true", row)

    assert (strange.status, unable.status) == (422, 422)
    assert strange.json()["errors"][0]["expected"] == "true or false"
    assert "does not say how sure it is" in unable.json()["detail"]
    assert app.answering.predictions.records_written == 0


def test_suspicious_values_are_flagged_not_refused(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """A number beyond the range and a new category are answered; the flags are in the answer and in the log."""
    answer = call("POST", "/predict", {**row, "tenure": 900, "Contract": "Weekly"}).json()

    assert [(flag["field"], flag["rule"], flag["got"]) for flag in answer["flags"]] == [
        ("tenure", "range", "900"),
        ("Contract", "category", "'Weekly'"),
    ]
    assert read_predictions(app.settings.log_folder)["flags"].to_list() == [["tenure: range", "Contract: category"]]


def test_a_broken_row_is_refused_by_name(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """One bad row refuses the whole request as 422 and names row, field, got and expected; nothing is logged."""
    response = call("POST", "/predict", [row, {**row, "tenure": "old"}])
    problem = response.json()

    assert (response.status, response.headers["content-type"]) == (422, "application/problem+json")
    assert [(e["row"], e["field"], e["got"], e["rule"]) for e in problem["errors"]] == [(1, "tenure", "'old'", "type")]
    assert "number" in problem["errors"][0]["expected"]
    assert len(read_predictions(app.settings.log_folder)) == 0


def test_a_missing_field_is_named_with_what_was_meant(call: Call, row: dict[str, Any]) -> None:
    """A misspelt field is found, and the near name is told."""
    row["Tenure"] = row.pop("tenure")
    error = call("POST", "/predict", row).json()["errors"][0]

    assert (error["field"], error["rule"]) == ("tenure", "missing")
    assert "'Tenure'" in error["got"]


def test_unknown_fields_are_not_logged(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """Fields that the contract does not name are ignored, and do not reach the log."""
    assert call("POST", "/predict", {**row, "password": "secret"}).status == 200
    assert "feature.password" not in read_predictions(app.settings.log_folder).columns


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("POST", "/predict", b"{", {}, 400),
        ("POST", "/predict", b"", {}, 400),
        ("POST", "/predict", b'{"tenure": NaN}', {}, 400),
        ("POST", "/predict", b"\xff\xfe", {}, 400),
        ("POST", "/predict", b"[" * 50_000, {}, 400),
        ("POST", "/predict", b"{}", {"content_type": "text/csv"}, 415),
        ("POST", "/predict", b"{}", {"content_type": "application/json; charset=latin-1"}, 415),
        ("POST", "/predict", b"{}", {"content_encoding": "gzip"}, 415),
        ("POST", "/predict", b" " * 100_001, {}, 413),
        ("POST", "/predict", b"{}", {"content_length": "100001"}, 413),
        ("POST", "/predict", b'{"tenure": 1e999}', {}, 400),
        ("POST", "/nowhere", b"{}", {}, 404),
        ("GET", "/v2/models/other", b"", {}, 404),
        ("GET", "/v2/models/", b"", {}, 404),
        ("GET", "/v2/models/{name}", b"", {}, 404),
        ("GET", "/v2/models/a/b/c/d", b"", {}, 404),
        ("GET", "/v2/models/a/versions", b"", {}, 404),
        ("GET", "/predict", b"", {}, 405),
        ("DELETE", "/health/live", b"", {}, 405),
        ("POST", "/feedback", b'{"id": "x", "label": 1}', {}, 422),
        ("POST", "/invocations", b'{"rows": []}', {}, 422),
        ("POST", "/predict", b"[]", {}, 422),
        ("POST", "/predict", b'{"tenure": []}', {}, 422),
    ],
)
def test_bad_requests_are_refused(
    call: Call, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    """Each kind of bad request has its own status and a problem document with an id."""
    response = call(method, path, body, **headers)
    problem = response.json()

    assert response.status == problem["status"] == status
    assert response.headers["content-type"] == "application/problem+json"
    assert problem["instance"].startswith("urn:uuid:")
    assert ("allow" in response.headers) == (status == 405)


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=UTF-8", "application/v1+json"])
def test_json_is_understood_by_its_names(call: Call, row: dict[str, Any], content_type: str) -> None:
    """Spellings of the JSON content type are accepted."""
    assert call("POST", "/predict", row, content_type=content_type).status == 200


def test_too_many_rows_are_refused(call: Call, row: dict[str, Any]) -> None:
    """A request beyond the bound of rows is 413."""
    response = call("POST", "/invocations", {"dataframe_split": {"columns": ["tenure"], "data": [[1]] * 501}})

    assert (response.status, response.json()["type"]) == (413, "urn:modelyard:problem:too-many-rows")


def test_too_many_fields_are_refused(call: Call, row: dict[str, Any]) -> None:
    """A row of hundreds of strange fields is refused before time is spent on it."""
    response = call("POST", "/predict", {f"field {number}": 1 for number in range(1_000)})

    assert response.status == 422
    assert response.json()["errors"][0]["got"] == "1000 fields"


def test_a_number_of_hundreds_of_digits_is_refused(call: Call, row: dict[str, Any]) -> None:
    """JSON allows whole numbers that no double holds; they are 422, not a failure."""
    response = call("POST", "/predict", {**row, "tenure": 10**400})

    assert response.status == 422
    assert response.json()["errors"][0]["field"] == "tenure"


def test_large_requests_are_answered_in_order(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """Rows beyond one slice keep their order in the answer and in the log."""
    rows = [{**row, "tenure": number % 72} for number in range(400)]
    answers = call("POST", "/predict", rows).json()["predictions"]
    logged = read_predictions(app.settings.log_folder)

    assert logged["id"].to_list() == [answer["id"] for answer in answers]
    assert logged["feature.tenure"].to_list() == [item["tenure"] for item in rows]


def test_feedback_joins_its_prediction(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """A label sent for an id stands beside that prediction."""
    answer = call("POST", "/predict", row).json()
    other = app.endpoint.active.classes[0]
    recorded = call("POST", "/feedback", [{"id": answer["id"], "label": other}])
    joined = read_predictions(app.settings.log_folder).join(
        read_feedback(app.settings.log_folder), on="id", suffix="_true"
    )

    assert recorded.json() == {"recorded": 1}
    assert joined.select("id", "label", "label_true").rows() == [(answer["id"], answer["label"], other)]


def test_health_and_description(app: ServingApp, call: Call) -> None:
    """Live, ready and the metadata of the Open Inference Protocol are as the protocol words them."""
    scorer = app.endpoint.active.scorer
    metadata = call("GET", f"/v2/models/{scorer.name}/versions/{scorer.version}").json()

    assert call("GET", "/v2/health/live").json() == {"live": True}
    assert call("GET", "/v2/health/ready").json() == {"ready": True}
    assert call("GET", "/ping").status == 200
    assert call("GET", f"/v2/models/{scorer.name}/ready").json() == {"name": scorer.name, "ready": True}
    assert call("GET", "/v2").json()["extensions"] == ["binary_tensor_data"]
    assert (metadata["name"], metadata["versions"]) == (scorer.name, [scorer.version])
    assert [entry["name"] for entry in metadata["inputs"]] == [column.name for column in scorer.contract.columns]
    assert {entry["name"]: entry["datatype"] for entry in metadata["inputs"]}["tenure"] == "FP64"


def test_a_scorer_that_disagrees_does_not_serve(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """When the golden rows differ, the process is live, never ready, and predicts nothing."""
    active = app.endpoint.active
    app.endpoint.active = dataclasses.replace(active, parity=dataclasses.replace(active.parity, ok=False))

    assert call("GET", "/health/live").status == 200
    assert call("GET", "/health/ready").json() == {
        "ready": False,
        "reason": "the scorer does not reproduce its golden rows",
    }
    assert call("POST", "/predict", row).status == 503
    assert call("POST", "/invocations", {"instances": [row]}).status == 503
    assert len(read_predictions(app.settings.log_folder)) == 0


def test_a_swap_is_one_assignment(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """The next request is answered by the model that was put in place."""
    app.endpoint.active = dataclasses.replace(app.endpoint.active, version="2")

    assert call("POST", "/predict", row).json()["version"] == "2"


def test_no_answer_leaves_without_its_record(
    app: ServingApp, call: Call, row: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the log takes nothing, the answer is 503 with a cure and no score, and the server is not ready."""

    def full(lines: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(app.answering.predictions._segments, "append", full)
        response = call("POST", "/predict", row)
        ready = call("GET", "/health/ready")

    assert (response.status, response.headers["retry-after"]) == (503, "1")
    assert "score" not in response.json()
    assert ready.json()["reason"] == "the prediction log takes no records"
    assert call("GET", "/health/ready").status == 200
    assert call("POST", "/predict", row).status == 200


def test_failures_tell_an_id_and_nothing_else(
    app: ServingApp,
    call: Call,
    row: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A failure of our own is 500 with an id; the text of the exception is in the log under that id only."""

    def fail(*_: Any) -> None:
        raise StateError("secret of the house")

    monkeypatch.setattr(app.endpoint, "verified", fail)
    response = call("POST", "/predict", row)
    instance = response.json()["instance"].removeprefix("urn:uuid:")

    assert response.status == 500
    assert "secret" not in response.body.decode()
    assert caplog.records[0].error_id == instance  # type: ignore[attr-defined]
    assert "secret of the house" in caplog.text


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=10,
)
POSTS = [route.path for route in ROUTES if route.method == "POST"]
CELLS = st.one_of(
    JSON_VALUES,
    st.sampled_from(["0001-01-01", "9999-12-31T23:59:59", "2024-02-30", "", "\x00", "NaN", "1e5", "None"]),
    st.sampled_from([10**30, -(2**63), 2**64, 1e308, -1e308, 5e-324, -0.0]),
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    path=st.sampled_from(POSTS), body=st.binary(max_size=60) | JSON_VALUES.map(lambda value: json.dumps(value).encode())
)
def test_no_body_is_our_failure(app: ServingApp, call: Call, path: str, body: bytes) -> None:
    """Whatever is sent to whichever route, the answer is not 5xx."""
    path = path.replace("{name}", app.endpoint.active.scorer.name).replace(
        "{version}", app.endpoint.active.scorer.version
    )

    assert call("POST", path, body).status < 500


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    changes=st.dictionaries(st.integers(0, 99), CELLS, max_size=4), form=st.sampled_from(["row", "mlflow", "tensors"])
)
def test_no_row_is_our_failure(
    app: ServingApp, call: Call, row: dict[str, Any], changes: dict[int, Any], form: str
) -> None:
    """A good row with any values put into its fields is answered or refused, never a failure."""
    names = list(row)
    changed = {**row, **{names[number % len(names)]: value for number, value in changes.items()}}
    kinds = {str: "BYTES", bool: "BOOL", int: "INT64", float: "FP64"}
    name = app.endpoint.active.scorer.name
    path, body = {
        "row": ("/predict", changed),
        "mlflow": ("/invocations", {"dataframe_records": [changed]}),
        "tensors": (
            f"/v2/models/{name}/infer",
            {
                "inputs": [
                    {"name": key, "shape": [1], "datatype": kinds.get(type(value), "FP64"), "data": [value]}
                    for key, value in changed.items()
                ]
            },
        ),
    }[form]
    response = call("POST", path, body)

    assert response.status in (200, 422)
    assert response.status == 200 or response.json()["errors"]


def test_settings_are_checked(tmp_path: Path) -> None:
    """Limits must be positive and the port real; the error names the field."""
    with pytest.raises(Exception, match=r"ServingSettings.port: the port must be between 0 and 65535; got 70000"):
        ServingSettings(tmp_path, tmp_path, port=70_000)
    with pytest.raises(Exception, match=r"ServingSettings.max_rows: a limit must be above 0"):
        ServingSettings(tmp_path, tmp_path, max_rows=0)


def test_strict_and_lenient_fields_by_the_contract(app: ServingApp, call: Call, row: dict[str, Any]) -> None:
    """The same strange value is refused in a strict field, with row, field, got and expected, and flagged otherwise."""
    model = app.endpoint.active
    columns = [
        dataclasses.replace(column, strictness="strict") if column.name == "tenure" else column
        for column in model.contract.columns
    ]
    strange = {**row, "tenure": 900, "MonthlyCharges": 9_000}
    flagged = call("POST", "/predict", strange).json()
    app.endpoint.active = dataclasses.replace(
        model, contract=dataclasses.replace(model.contract, columns=tuple(columns))
    )
    refused = call("POST", "/predict", [row, strange]).json()

    assert [flag["field"] for flag in flagged["flags"]] == ["tenure", "MonthlyCharges"]
    assert refused["errors"] == [
        {"row": 1, "field": "tenure", "got": "900", "expected": "a number between 0 and 72", "rule": "range"}
    ]
