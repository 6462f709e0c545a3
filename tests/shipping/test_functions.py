import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest

from modelyard.core import ConfigError, IntegrityError, StateError
from modelyard.packaging import GoldenSet, Package
from modelyard.serving import LogKind, read_predictions
from modelyard.shipping import make_bundle
from modelyard.shipping.functions import Call, FolderLog, LineLog, ModelFunction, Reply, lambda_handler


class FullLog:
    """A log whose disk is full."""

    def write(self, kind: LogKind, records: Any) -> None:
        """Refuse."""
        raise StateError("full")


@pytest.fixture(scope="module")
def lines() -> io.BytesIO:
    """Where the function's log goes."""
    return io.BytesIO()


@pytest.fixture(scope="module")
def function(package: Package, lines: io.BytesIO) -> ModelFunction:
    """The package as a function."""
    return ModelFunction(package.folder, LineLog(lines))


def document(reply: Reply) -> Any:
    """The body, decoded."""
    return json.loads(reply.body)


def post(function: ModelFunction, body: Any, path: str = "/predict", query: str = "") -> Reply:
    """Send a body."""
    return function.answer(Call("POST", path, query, json.dumps(body).encode()))


def test_golden_rows_come_out_as_in_training(function: ModelFunction, golden: GoldenSet) -> None:
    """All golden rows at once, and one alone, get the training pipeline's scores."""
    rows = [row.features for row in golden.rows]
    together = document(post(function, rows))["predictions"]
    alone = document(post(function, rows[0], "/"))

    assert [answer["score"] for answer in together] == pytest.approx([row.expected[0] for row in golden.rows], abs=1e-9)
    assert alone["score"] == together[0]["score"]
    assert (alone["model"], alone["version"]) == ("telco_churn", "1")


def test_every_answer_is_a_line_of_the_log(function: ModelFunction, golden: GoldenSet, lines: io.BytesIO) -> None:
    """Predictions and feedback stand on standard output under their ids, with the fields of the prediction log."""
    before = len(lines.getvalue())
    answer = document(post(function, golden.rows[0].features))
    recorded = document(post(function, {"id": answer["id"], "label": "Yes"}, "/feedback"))
    prediction, feedback = map(json.loads, lines.getvalue()[before:].splitlines())

    assert recorded == {"recorded": 1}
    assert (prediction["log"], prediction["id"], prediction["score"]) == ("predictions", answer["id"], answer["score"])
    assert prediction["digest"] == function.answer(Call("GET", "/version")).body.decode().split('"digest":"')[1][:64]
    assert (feedback["log"], feedback["id"], feedback["label"]) == ("feedback", answer["id"], "Yes")


def test_a_folder_can_keep_the_log(package: Package, golden: GoldenSet, tmp_path: Path) -> None:
    """With a folder that outlives the function the log is the server's own, and its readers read it."""
    function = ModelFunction(package.folder, FolderLog(tmp_path / "log"))
    answer = document(post(function, golden.rows[0].features))

    assert read_predictions(tmp_path / "log")["id"].to_list() == [answer["id"]]


def test_refusals_are_the_servers_problem_documents(function: ModelFunction, golden: GoldenSet) -> None:
    """Wrong types, unknown routes and methods, and what is no JSON get the status and the type that the server gives."""
    row = dict(golden.rows[0].features)
    refused = {
        "contract-violated": post(function, {**row, "tenure": "many"}),
        "not-rows": post(function, 7),
        "no-uncertainty": post(function, row, query="uncertainty=perhaps"),
        "malformed-json": function.answer(Call("POST", "/predict", body=b"{")),
        "no-such-route": function.answer(Call("GET", "/nowhere")),
        "method-not-allowed": function.answer(Call("GET", "/predict")),
        "too-many-rows": post(function, [row] * 10_001),
    }

    assert {name: (reply.status, document(reply)["type"].rpartition(":")[2]) for name, reply in refused.items()} == {
        "contract-violated": (422, "contract-violated"),
        "not-rows": (422, "not-rows"),
        "no-uncertainty": (422, "no-uncertainty"),
        "malformed-json": (400, "malformed-json"),
        "no-such-route": (404, "no-such-route"),
        "method-not-allowed": (405, "method-not-allowed"),
        "too-many-rows": (413, "too-many-rows"),
    }
    assert document(refused["contract-violated"])["errors"][0]["field"] == "tenure"
    assert refused["method-not-allowed"].headers["allow"] == "POST"
    assert {reply.headers["content-type"] for reply in refused.values()} == {"application/problem+json"}


def test_what_is_not_on_record_is_not_answered(package: Package, golden: GoldenSet) -> None:
    """A log that takes nothing makes 503, without a score."""
    reply = post(ModelFunction(package.folder, FullLog()), golden.rows[0].features)

    assert reply.status == 503
    assert "score" not in document(reply)
    assert reply.headers["retry-after"] == "1"


def test_a_failure_of_ours_tells_the_caller_an_id_only(
    package: Package, golden: GoldenSet, caplog: pytest.LogCaptureFixture
) -> None:
    """An exception that nobody expected is logged under an id; its text does not leave."""

    class BrokenLog(FullLog):
        def write(self, kind: LogKind, records: Any) -> None:
            raise RuntimeError("secret of the house")

    reply = post(ModelFunction(package.folder, BrokenLog()), golden.rows[0].features)

    assert reply.status == 500
    assert b"secret" not in reply.body
    assert caplog.records[0].error_id in document(reply)["detail"]  # type: ignore[attr-defined]


def test_a_package_that_was_tampered_with_never_answers(own_package: Package) -> None:
    """The function does not even come to life."""
    with (own_package.folder / "plan.json").open("a") as stream:
        stream.write(" ")

    with pytest.raises(IntegrityError, match=r"plan\.json has changed"):
        ModelFunction(own_package.folder)


def test_lambda_events_of_every_form_are_understood(function: ModelFunction, golden: GoldenSet) -> None:
    """Function URLs and HTTP APIs, REST APIs with a stage, base64 bodies, and plain rows."""
    handle = lambda_handler(function)
    row = dict(golden.rows[0].features)
    score, body = golden.rows[0].expected[0], json.dumps(row)
    new = {"version": "2.0", "rawPath": "/predict", "requestContext": {"http": {"method": "POST"}, "stage": "$default"}}
    old = {"httpMethod": "POST", "path": "/prod/predict", "requestContext": {"stage": "prod"}}
    coded = {**new, "body": base64.b64encode(body.encode()).decode(), "isBase64Encoded": True}
    answers = [handle(event, None) for event in ({**new, "body": body}, {**old, "body": body}, coded)]
    health = handle({**new, "rawPath": "/health/ready", "requestContext": {"http": {"method": "GET"}}}, None)
    lie = handle({**new, "body": "no base64!", "isBase64Encoded": True}, None)

    assert [json.loads(answer["body"])["score"] for answer in answers] == [pytest.approx(score, abs=1e-9)] * 3
    assert {answer["statusCode"] for answer in answers} == {200}
    assert handle(row, None)["score"] == pytest.approx(score, abs=1e-9)
    assert handle({**row, "tenure": "many"}, None)["status"] == 422
    assert json.loads(health["body"]) == {"ready": True}
    assert lie["statusCode"] == 400


def test_bundles_refuse_what_has_no_meaning(package: Package, tmp_path: Path) -> None:
    """An unknown platform, and a base where the platform chooses its own."""
    with pytest.raises(ConfigError, match="Choose one of: lambda, functions"):
        make_bundle(package, "azure", tmp_path / "bundle")
    with pytest.raises(ConfigError, match="Leave them out"):
        make_bundle(package, "functions", tmp_path / "bundle", base="python:3.11")
    assert not (tmp_path / "bundle").exists()


def test_bundles_pin_the_client_of_their_platform(package: Package, tmp_path: Path) -> None:
    """Each holds its entry point and pins its client; what installs from one file alone finds everything in it."""
    aws = make_bundle(package, "lambda", tmp_path / "aws", log="/mnt/log")
    google = make_bundle(package, "functions", tmp_path / "google")

    assert {"handler.py", "Containerfile", "requirements.txt", "model/manifest.json"} <= set(aws.files)
    assert 'FolderLog(Path("/mnt/log"))' in (tmp_path / "aws" / "handler.py").read_text().replace("'", '"')
    assert any(pin.startswith("awslambdaric==") for pin in aws.requirements)
    assert {"main.py", "requirements.txt", "model/manifest.json"} <= set(google.files)
    assert any(pin.startswith("functions-framework==") for pin in google.requirements)
    assert (tmp_path / "google" / "requirements.txt").read_text().splitlines()[
        -1
    ] == "./modelyard-0.1.0-py3-none-any.whl"
    assert any(pin.startswith("scipy==") for pin in google.requirements)
