"""Clients that others wrote work against the server: Triton's, and MLflow's."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from modelyard.packaging import Scorer

Call = Callable[..., Any]
StartServer = Callable[..., Any]
ROWS = 3


@pytest.fixture
def rows(row: dict[str, Any]) -> list[dict[str, Any]]:
    """Rows that differ, one with a missing number."""
    return [{**row, "tenure": 3 + number, "TotalCharges": None if number else 150.0} for number in range(ROWS)]


def tensors_of(client: Any, model: str, rows: list[dict[str, Any]], *, binary: bool) -> list[Any]:
    """Triton's input tensors for the rows, of the datatypes that the server's metadata name."""
    from tritonclient.http import InferInput

    kinds: dict[str, Any] = {"FP64": np.float64, "BOOL": np.bool_, "BYTES": np.object_}
    tensors = []
    for described in client.get_model_metadata(model)["inputs"]:
        name, datatype = described["name"], described["datatype"]
        values = [row[name] for row in rows]
        if datatype == "FP64":
            values = [0.0 if value is None and not binary else value for value in values]
        tensor = InferInput(name, [len(rows)], datatype)
        tensor.set_data_from_numpy(np.array(values, dtype=kinds[datatype]), binary_data=binary)
        tensors.append(tensor)
    return tensors


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_tritons_client_reads_and_infers(start_server: StartServer, package_folder: Any, rows: Any) -> None:
    """Live, ready, metadata, and inference: binary tensors both ways as is its custom, and JSON if told so."""
    from tritonclient.http import InferenceServerClient, InferenceServerException, InferRequestedOutput

    server = start_server()
    scorer = Scorer.load(package_folder)
    expected = scorer.score_rows(rows)
    plain = scorer.score_rows([{**row, "TotalCharges": row["TotalCharges"] or 0.0} for row in rows])
    with InferenceServerClient(server.url.removeprefix("http://")) as client:
        alive = (client.is_server_live(), client.is_server_ready(), client.is_model_ready(scorer.name, "1"))
        extensions = client.get_server_metadata()["extensions"]
        packed = client.infer(scorer.name, tensors_of(client, scorer.name, rows, binary=True), request_id="q1")
        wanted = [InferRequestedOutput("label", binary_data=False), InferRequestedOutput("score", binary_data=False)]
        spelt = client.infer(scorer.name, tensors_of(client, scorer.name, rows, binary=False), outputs=wanted)
        with pytest.raises(InferenceServerException, match="not served here"):
            client.get_model_metadata("another")

    assert alive == (True, True, True)
    assert extensions == ["binary_tensor_data"]
    assert packed.as_numpy("score").tolist() == expected.tolist()
    assert [text.decode() for text in packed.as_numpy("label")] == scorer.decide(expected)
    assert packed.get_response()["id"] == "q1"
    assert spelt.as_numpy("score").tolist() == plain.tolist()
    assert [output["name"] for output in spelt.get_response()["outputs"]] == ["label", "score"]


@pytest.mark.filterwarnings("ignore")
def test_mlflows_client_reads_all_four_forms(start_server: StartServer, package_folder: Any, rows: Any) -> None:
    """MLflow's own client invokes with a frame, in which a missing number is its NaN, with rows, and with each form."""
    import pandas as pd
    from mlflow.pyfunc.scoring_server.client import ScoringServerClient
    from mlflow.utils.proto_json_utils import dump_input_data

    server = start_server()
    host, port = server.url.removeprefix("http://").split(":")
    client = ScoringServerClient(host, int(port))
    client.wait_server_ready()
    frame = pd.DataFrame(rows)
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    records = {"dataframe_records": json.loads(frame.to_json(orient="records"))}
    bodies = [frame, rows, *map(json.dumps, (records, {"instances": rows}, {"inputs": columns}))]
    answers = [client.invoke(body) for body in bodies]
    scores = [answer.get_predictions()["score"].tolist() for answer in answers]

    assert "modelyard" in client.get_version()
    assert scores == [Scorer.load(package_folder).score_rows(rows).tolist()] * 5
    assert "NaN" in dump_input_data(frame)


@pytest.mark.parametrize(
    ("length", "body", "what"),
    [
        ("9999", b'{"inputs": []}', "not within the body"),
        ("x", b'{"inputs": []}', "not within the body"),
        ("14", b'{"inputs": []}rest', "not those of its tensors"),
    ],
)
def test_binary_bodies_that_do_not_fit_are_refused(length: str, body: bytes, what: str, app: Any, call: Call) -> None:
    """A wrong length of the JSON, and bytes that belong to no tensor, are 422."""
    address = f"/v2/models/{app.endpoint.active.name}/infer"
    response = call("POST", address, body, inference_header_content_length=length)

    assert response.status == 422
    assert what in response.json()["detail"]


@pytest.mark.parametrize(
    ("datatype", "data", "what"),
    [
        ("FP64", b"1234567", "not of its datatype"),
        ("BF16", b"12", "not of its datatype"),
        ("BYTES", b"\x09\x00\x00\x00ab", "cut short"),
        ("BYTES", b"\x01\x00\x00\x00\xff", "no text"),
        ("BYTES", b"\x01", "no text"),
    ],
)
def test_broken_binary_tensors_are_refused(datatype: str, data: bytes, what: str, app: Any, call: Call) -> None:
    """Bytes that are not of their datatype are 422 and name the tensor."""
    tensor = {"name": "tenure", "shape": [1], "datatype": datatype, "parameters": {"binary_data_size": len(data)}}
    head = json.dumps({"inputs": [tensor]}).encode()
    address = f"/v2/models/{app.endpoint.active.name}/infer"
    response = call("POST", address, head + data, inference_header_content_length=str(len(head)))

    assert (response.status, response.json()["errors"][0]["field"]) == (422, "tenure")
    assert what in response.json()["detail"]
