"""The budgets of the design: sizes, parameters, excepts and names that a review would otherwise have to count."""

import ast
import statistics
from collections.abc import Iterator
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "modelyard"
MODULES = sorted(SOURCE.rglob("*.py"))

LONGEST_FILE_LINES = 900
MEDIAN_FILE_LINES = 200
LONGEST_FUNCTION_LINES = 120
P90_FUNCTION_LINES = 30
MOST_PARAMETERS = 8
MOST_PUBLIC_METHODS = 20
MOST_FILES_IN_A_ROOM = 14

Function = ast.FunctionDef | ast.AsyncFunctionDef

# Process edges, where any failure must become an answer or an exit code; each logs or re-raises what it caught.
EDGES_WITH_BROAD_EXCEPT = {
    "features/own.py": "a user's own function may raise anything; it becomes one sentence that names it",
    "schedule/tick.py": "a job that fails must not stop the others; it is logged, said, and becomes an alert",
    "serving/app.py": "a request must end in an answer; the exception is logged with an id",
    "serving/lane/lane.py": "what fails in the lane is left to the road, which fails the same way and says so",
    "serving/routing/router.py": "a new version may fail in any way; it is counted, and the champion answers",
    "serving/routing/shadow.py": "a version in shadow may fail in any way; it is counted, and nobody waits for it",
    "shipping/functions/answering.py": "a call must end in an answer; the exception is logged with an id",
    "training/custom_metrics/function.py": "a user's own metric may raise anything; it becomes one sentence that names it",
    "training/executor.py": "a candidate that fails must not end the run; the error is kept with the candidate",
}


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def _functions() -> Iterator[tuple[str, Function]]:
    for path in MODULES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, Function):
                yield f"{path.relative_to(SOURCE)}:{node.name}", node


def _body_lines(function: Function) -> int:
    """Lines of a function without its signature and docstring."""
    body = function.body
    if ast.get_docstring(function) is not None:
        body = body[1:]
    if not body:
        return 0
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def _parameters(function: Function) -> int:
    arguments = function.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    return len([name for name in names if name not in ("self", "cls")])


def test_files_are_short() -> None:
    """The median file has at most 200 lines and none has more than 900."""
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in MODULES}

    assert {str(path): count for path, count in lines.items() if count > LONGEST_FILE_LINES} == {}
    assert statistics.median(lines.values()) <= MEDIAN_FILE_LINES


def test_functions_are_short() -> None:
    """Nine of ten functions have at most 30 lines and none more than 120."""
    lengths = {name: _body_lines(function) for name, function in _functions()}

    assert {name: length for name, length in lengths.items() if length > LONGEST_FUNCTION_LINES} == {}
    assert statistics.quantiles(lengths.values(), n=10)[-1] <= P90_FUNCTION_LINES


def test_functions_take_few_parameters() -> None:
    """No function takes more than eight parameters; beyond that a record is passed."""
    many = {name: _parameters(function) for name, function in _functions() if _parameters(function) > MOST_PARAMETERS}

    assert many == {}


def test_classes_are_small() -> None:
    """No class has more than twenty public methods."""
    large: dict[str, int] = {}
    for path in MODULES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef):
                public = [item for item in node.body if isinstance(item, Function) and not item.name.startswith("_")]
                if len(public) > MOST_PUBLIC_METHODS:
                    large[f"{path.relative_to(SOURCE)}:{node.name}"] = len(public)

    assert large == {}


def test_rooms_are_small() -> None:
    """A room has at most fourteen modules; beyond that it is split into sub-rooms."""
    rooms = [folder for folder in SOURCE.iterdir() if (folder / "__init__.py").exists()]
    counts = {room.name: len(list(room.glob("*.py"))) for room in rooms}

    assert {name: count for name, count in counts.items() if count > MOST_FILES_IN_A_ROOM} == {}


def test_no_drawer_is_called_utils() -> None:
    """Nothing is called utils, helpers, common or manager: such a name is no idea."""
    forbidden = {"utils", "util", "helpers", "helper", "common", "manager", "misc"}
    found = [path for path in MODULES if set(path.stem.strip("_").split("_")) & forbidden]

    assert found == []


def test_broad_excepts_stand_at_edges_only() -> None:
    """``except Exception`` and bare ``except`` occur only at declared process edges."""
    found = set()
    for path in MODULES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node):
                found.add(str(path.relative_to(SOURCE)))

    assert found == set(EDGES_WITH_BROAD_EXCEPT)


def _is_broad(handler: ast.ExceptHandler) -> bool:
    """True for a handler that swallows any exception; one that ends in a bare ``raise`` only cleans up."""
    last = handler.body[-1]
    if isinstance(last, ast.Raise) and last.exc is None:
        return False
    names = [handler.type] if not isinstance(handler.type, ast.Tuple) else handler.type.elts
    return any(
        name is None or (isinstance(name, ast.Name) and name.id in {"Exception", "BaseException"}) for name in names
    )


def test_no_assert_in_source() -> None:
    """User input is never checked by ``assert``, which vanishes under ``python -O``."""
    found = [
        f"{path.relative_to(SOURCE)}:{node.lineno}"
        for path in MODULES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Assert)
    ]

    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_every_module_says_what_it_is(path: Path) -> None:
    """Every module has a docstring and a sorted ``__all__`` (``__main__`` files are exempt)."""
    tree = _tree(path)

    assert ast.get_docstring(tree)
    if path.name != "__main__.py":
        exported = [
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and "__all__" in ast.unparse(node).partition("=")[0]
            if node.value is not None
        ]
        assert len(exported) == 1
        assert len(exported[0]) == len(set(exported[0]))
