"""Each protocol's bodies become the same rows, and what is no table is refused with its place."""

from typing import Any

import msgspec
import pytest

from modelyard.serving.formats import (
    FieldError,
    Flag,
    Prediction,
    RefusedRequestError,
    invocation_answer,
    offered_outputs,
    open_inference_outputs,
    parse_feedback,
    parse_inference,
    parse_invocation,
    parse_rows,
    problem_document,
    requested_outputs,
)

TABLE = [{"age": 31, "job": "clerk"}, {"age": 45, "job": None}]
ID = "0190163d-8694-739b-aea5-966c26f8ad91"


def tensor(**changes: Any) -> dict[str, Any]:
    """An input tensor, with changes."""
    return {"name": "age", "shape": [2], "datatype": "INT64", "data": [31, 45], **changes}


def refused(call: Any, *arguments: Any) -> RefusedRequestError:
    """The refusal that a call ends in."""
    with pytest.raises(RefusedRequestError) as caught:
        call(*arguments)
    return caught.value


@pytest.mark.parametrize("body", [TABLE, {"age": [31, 45], "job": ["clerk", None]}])
def test_lists_and_columns_are_the_same_rows(body: Any) -> None:
    """A list of rows and a table by columns say the same; both get a list of answers."""
    parsed = parse_rows(body)

    assert parsed.rows == TABLE
    assert not parsed.is_single


def test_one_object_is_one_row() -> None:
    """A single row gets a single answer."""
    assert parse_rows(TABLE[0]).rows == TABLE[:1]
    assert parse_rows(TABLE[0]).is_single


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        5,
        None,
        True,
        "text",
        [1],
        [[1, 2]],
        [TABLE[0], None],
        {"age": [1, 2], "job": ["a"]},
        {"age": [1], "job": "a"},
        {"age": []},
    ],
)
def test_what_is_no_table_is_refused(body: Any) -> None:
    """Empty, ragged, scalar and mixed bodies are refused as 422 with a cure."""
    error = refused(parse_rows, body)

    assert error.status == 422
    assert "Send one row object" in error.sentence


def test_a_ragged_column_is_named() -> None:
    """The refusal names the column and both lengths."""
    error = refused(parse_rows, {"age": [1, 2], "job": ["a"]})

    assert error.errors == (FieldError("job", "1 values", "2 values, like the first column"),)


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["age", "job"], "index": [0, 1], "data": [[31, "clerk"], [45, None]]}},
        {"dataframe_records": TABLE},
        {"instances": TABLE},
        {"inputs": TABLE},
        {"inputs": {"age": [31, 45], "job": ["clerk", None]}},
        {"dataframe_records": TABLE, "params": {"unused": 1}},
    ],
)
def test_all_forms_of_mlflow_are_the_same_rows(body: Any) -> None:
    """The four input forms of MLflow's scoring protocol say the same."""
    assert parse_invocation(body) == TABLE


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        TABLE,
        {"dataframe_records": TABLE, "instances": TABLE},
        {"dataframe_records": TABLE, "what": 1},
        {"dataframe_records": {"age": 1}},
        {"dataframe_split": []},
        {"dataframe_split": {"columns": ["a", "a"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": [1], "data": [[1]]}},
        {"dataframe_split": {"columns": ["a"], "data": []}},
        {"dataframe_split": {"columns": ["a"], "data": [[1, 2]]}},
        {"dataframe_split": {"columns": ["a"], "data": [1]}},
        {"instances": [1, 2]},
        {"inputs": 3},
        {"inputs": {}},
    ],
)
def test_bad_invocations_are_refused(body: Any) -> None:
    """Bodies without exactly one proper form are refused as 422."""
    assert refused(parse_invocation, body).status == 422


@pytest.mark.parametrize("column", [{"shape": [2, 1]}, {"shape": [2, 1], "data": [[31], [45]]}, {"datatype": "FP64"}])
def test_tensors_are_columns(column: dict[str, Any]) -> None:
    """Shapes [n] and [n, 1], flat or nested, are a column; nulls are missing values."""
    job = {"name": "job", "shape": [2], "datatype": "BYTES", "data": ["clerk", None]}

    assert parse_inference({"inputs": [tensor(**column), job]}) == TABLE


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "inputs"),
        ([], "inputs"),
        ({"inputs": []}, "inputs"),
        ({"inputs": [5]}, "inputs[0]"),
        ({"inputs": [tensor(datatype="DOUBLE")]}, "age"),
        ({"inputs": [tensor(datatype=["FP64"])]}, "age"),
        ({"inputs": [tensor(shape=[3])]}, "age"),
        ({"inputs": [tensor(shape=[1, 2])]}, "age"),
        ({"inputs": [tensor(shape=[-2])]}, "age"),
        ({"inputs": [tensor(shape=[True])]}, "age"),
        ({"inputs": [tensor(shape=None)]}, "age"),
        ({"inputs": [tensor(data=None)]}, "age"),
        ({"inputs": [tensor(data=[1, 2.5])]}, "age"),
        ({"inputs": [tensor(data=[1, True])]}, "age"),
        ({"inputs": [tensor(data=[1, "2"])]}, "age"),
        ({"inputs": [tensor(datatype="BYTES")]}, "age"),
        ({"inputs": [tensor(datatype="BOOL")]}, "age"),
        ({"inputs": [tensor(), tensor()]}, "age"),
        ({"inputs": [tensor(), tensor(name="job", shape=[1], data=[1])]}, "job"),
    ],
)
def test_bad_tensors_are_refused_by_name(body: Any, field: str) -> None:
    """A body that breaks the protocol is refused as 422, naming the tensor."""
    error = refused(parse_inference, body)

    assert error.status == 422
    assert error.errors[0].field == field


def test_no_rows_are_refused_in_tensors() -> None:
    """Tensors of no rows are no request."""
    assert "there is no row" in refused(parse_inference, {"inputs": [tensor(shape=[0], data=[])]}).sentence


def test_outputs_come_as_asked_for() -> None:
    """Named outputs come in the order of the request; an unknown one is refused."""
    offered = offered_outputs(("no", "yes"))

    assert requested_outputs({"outputs": [{"name": "label"}, {"name": "score"}]}, offered) == ("label", "score")
    assert requested_outputs({}, offered) == offered
    assert refused(requested_outputs, {"outputs": [{"name": "nope"}]}, offered).status == 422
    assert refused(requested_outputs, {"outputs": "label"}, offered).status == 422


def test_multiclass_probabilities_are_a_matrix() -> None:
    """Probabilities are one tensor of shape [rows, classes], row by row in the order of the classes."""
    classes = ("a", "b", "c")
    flag = Flag("age", "range", "300", "a number between 0 and 99")
    answers = [
        Prediction(ID, 0.7, "a", (flag,), "m", "1", {"a": 0.7, "b": 0.2, "c": 0.1}),
        Prediction(ID, 0.5, "c", (), "m", "1", {"a": 0.3, "b": 0.2, "c": 0.5}),
    ]
    outputs = open_inference_outputs(answers, classes, ("probabilities", "flags"))

    assert outputs[0]["shape"] == [2, 3]
    assert outputs[0]["data"] == [0.7, 0.2, 0.1, 0.3, 0.2, 0.5]
    assert outputs[1]["data"] == ["age: range", ""]
    assert invocation_answer(answers, classes)["predictions"][1] == {
        "prediction": "c",
        "score": 0.5,
        "score.a": 0.3,
        "score.b": 0.2,
        "score.c": 0.5,
    }


def test_regression_has_no_label_tensor() -> None:
    """A model of values offers the value, the id and the flags."""
    answer = Prediction(ID, 12.5, 12.5, (), "m", "1")

    assert offered_outputs(()) == ("score", "prediction_id", "flags")
    assert invocation_answer([answer], ()) == {"predictions": [{"prediction": 12.5}], "prediction_ids": [ID]}


@pytest.mark.parametrize(
    ("label", "classes", "kept"),
    [
        ("Yes", ("No", "Yes"), "Yes"),
        (1, ("0", "1"), "1"),
        (1.0, ("0", "1"), "1"),
        (True, ("false", "true"), "true"),
        (1, ("0.0", "1.0"), "1.0"),
        (3.5, (), "3.5"),
        (7, (), "7"),
    ],
)
def test_labels_are_kept_as_the_model_spells_them(label: Any, classes: tuple[str, ...], kept: str) -> None:
    """Numbers and Booleans from JSON find their class; regression keeps the number."""
    records = parse_feedback({"id": ID.upper(), "label": label}, classes, "2026-01-01T00:00:00Z")

    assert [(record.id, record.label) for record in records] == [(ID, kept)]


@pytest.mark.parametrize(
    ("entry", "classes", "field"),
    [
        ({"id": "x", "label": "Yes"}, ("No", "Yes"), "id"),
        ({"id": 5, "label": "Yes"}, ("No", "Yes"), "id"),
        ({"id": ID, "label": "Maybe"}, ("No", "Yes"), "label"),
        ({"id": ID, "label": None}, ("No", "Yes"), "label"),
        ({"id": ID, "label": "3"}, (), "label"),
        ({"id": ID, "label": True}, (), "label"),
        ({"id": ID, "label": 10**400}, (), "label"),
        ({"id": ID}, (), ""),
        (7, (), ""),
    ],
)
def test_bad_feedback_is_refused_by_field(entry: Any, classes: tuple[str, ...], field: str) -> None:
    """An id that is none, or a label that the model cannot give, is refused with its place in the list."""
    good = {"id": ID, "label": classes[0] if classes else 1}
    error = refused(parse_feedback, [good, entry], classes, "")

    assert [(found.row, found.field) for found in error.errors] == [(1, field)]
    assert refused(parse_feedback, [], classes, "").status == 422


def test_a_problem_document_is_bounded() -> None:
    """At most a hundred errors are shown, their number is told, and three protocols find their members."""
    errors = [FieldError("age", "x", "a number", row=number) for number in range(150)]
    document = problem_document(RefusedRequestError(422, "kind", "what", cure="Do this", errors=errors), ID)
    decoded = msgspec.json.decode(msgspec.json.encode(document))

    assert decoded["type"] == "urn:modelyard:problem:kind"
    assert (len(decoded["errors"]), decoded["errors_total"]) == (100, 150)
    assert decoded["errors"][0] == {"field": "age", "got": "x", "expected": "a number", "row": 0}
    assert decoded["detail"] == decoded["error"] == decoded["message"] == "what. Do this."
