"""Write the pages that are generated: the commands, the project file and the checks of the audit. `--check` only says whether they are current."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from modelyard.audit import CHECKS, Check
from modelyard.cli.app import app
from modelyard.problem import json_schema

DOCS = Path(__file__).parents[1] / "docs"


def commands_page() -> str:
    """`docs/commands.md`: every command with its arguments and options, in the order of the life."""
    group: Any = get_command(app)
    lines = [
        "# The commands",
        "",
        "In the order of a model's life. Every command takes `--project FOLDER` (`-p`), `--env NAME`, `--set a.b=value` and",
        "`--json`, which prints the record on standard output; people's text and progress never mix with it.",
        "",
        "Exit codes: 0 done · 1 modelyard broke · 2 usage, project file or data · 3 a gate or a check said no ·",
        "4 waiting for approval · 5 inconclusive · 130 interrupted.",
    ]
    for name, command in group.commands.items():
        lines += ["", f"## modelyard {name}", "", command.help or ""]
        rows = [row for parameter in command.params if (row := _parameter_row(parameter))]
        if rows:
            lines += ["", "| argument | meaning | |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def _parameter_row(parameter: Any) -> str:
    """One table row; the options that every command has are left out."""
    if parameter.name in {"project", "env", "settings", "as_json", "help"}:
        return ""
    spelling = ", ".join(parameter.opts) if parameter.param_type_name == "option" else parameter.name.upper()
    need = (
        "required" if parameter.required else f"default: {parameter.default}" if parameter.default is not None else ""
    )
    return f"| `{spelling}` | {parameter.help} | {need} |"


def project_file_page() -> str:
    """`docs/project-file.md`: every key with its meaning and its default."""
    schema = json_schema()
    lines = [
        "# The project file",
        "",
        "`modelyard.yaml` says what is asked of a model. Only `data.source` and `data.target` are required (clustering and anomaly detection do without a target). Unknown keys are",
        "refused. `modelyard.<env>.yaml` (with `--env`) and `--set a.b=value` override it; `modelyard explain config` prints the",
        "effective values and where each came from; `modelyard explain schema --json` prints the JSON Schema for editors.",
        "",
        "| key | meaning | default |",
        "|---|---|---|",
    ]
    lines += [f"| `{key}` | {text} | {default} |" for key, text, default in _keys(schema, schema["properties"], "")]
    return "\n".join(lines) + "\n"


def _keys(schema: dict[str, Any], properties: dict[str, Any], prefix: str) -> Iterator[tuple[str, str, str]]:
    """(dotted key, meaning, default) of every leaf, in the schema's order."""
    for name, value in properties.items():
        reference = value.get("$ref", "").removeprefix("#/$defs/")
        definition = schema["$defs"].get(reference, {})
        if "properties" in definition:
            yield from _keys(schema, definition["properties"], f"{prefix}{name}.")
        else:
            required = "default" not in value and name in {"source", "target"}
            empty = value.get("default") in (None, "", [], {})
            default = "required" if required else "–" if empty else f"`{value['default']}`"
            yield f"{prefix}{name}", value.get("description", ""), default


def checks_page() -> str:
    """`docs/checks.md`: every check of the audit, in the order in which they run."""
    lines = [
        "# The checks of the audit",
        "",
        f"{len(CHECKS)} checks look at the training part; `modelyard explain checks` prints this list. A check whose needs are not",
        "met does not run, and the report says why. The ids of findings are what `modelyard audit --acknowledge ID:COLUMN` takes.",
    ]
    for check in CHECKS:
        lines += ["", *_check_lines(check)]
    return "\n".join(lines) + "\n"


def _check_lines(check: Check) -> Iterator[str]:
    """One check: what it finds, the harm, its numbers with their reasons."""
    yield f"## {check.id}"
    yield ""
    yield f"{check.finds} **Harm:** {check.harm}"
    yield ""
    yield f"- Gives: {', '.join(f'`{finding}`' for finding in check.findings)} (row {check.row} of the life)"
    if check.needs:
        yield f"- Needs: {', '.join(need.words for need in check.needs)}"
    if check.trains:
        yield "- Trains a model; `modelyard audit --quick` leaves it out."
    for threshold in check.thresholds:
        yield f"- {threshold.name[0].upper()}{threshold.name[1:]}: {threshold.value:g}, because {threshold.reason}"


PAGES = {"commands.md": commands_page, "project-file.md": project_file_page, "checks.md": checks_page}


def main() -> int:
    """Write the pages, or with `--check` compare them; 1 if one is stale."""
    stale = []
    for name, page in PAGES.items():
        path = DOCS / name
        text = page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
            if "--check" not in sys.argv:
                path.write_text(text, encoding="utf-8")
    if stale:
        print(("stale: " if "--check" in sys.argv else "written: ") + ", ".join(stale))
    return int(bool(stale) and "--check" in sys.argv)


if __name__ == "__main__":
    sys.exit(main())
