"""Commands about where things come from: lineage, trace."""

from pathlib import Path
from typing import Annotated

import typer

from modelyard.cli.session import Answer, Session
from modelyard.cli.verb import verb

__all__ = ["add_to"]


def lineage(
    session: Session,
    version: Annotated[
        int | None, typer.Argument(help="A version; by default the one in production, else the newest.", min=1)
    ] = None,
    out: Annotated[Path | None, typer.Option("--out", help="File for a page: .html or .md.")] = None,
    openlineage: Annotated[
        Path | None, typer.Option("--openlineage", help="File for all versions' events of OpenLineage, JSON lines.")
    ] = None,
    to: Annotated[
        str | None,
        typer.Option("--to", help="Receiver that events of OpenLineage are posted to: https://host:port."),
    ] = None,
) -> Answer:
    """Tell what a version came from and what came of it. From the source of rows to predictions and successors; also as OpenLineage events."""
    from modelyard.cli.show.oversight.lineage import show_lineage, show_sent
    from modelyard.core import ConfigError, write_atomic
    from modelyard.oversight.lineage.page import lineage_page
    from modelyard.report import render_html, render_markdown

    oversight = session.project.oversight
    if openlineage is not None or to is not None:
        sent = oversight.openlineage(file=openlineage, to=to)
        return Answer([item.to_dict() for item in sent], show_sent(sent))
    renderers = {".html": render_html, ".md": render_markdown}
    if out is not None and out.suffix not in renderers:
        raise ConfigError(
            "a page is HTML or Markdown", where="--out", got=str(out), cure="End its name in .html or .md"
        )
    found = oversight.lineage(version)
    if out is not None:
        write_atomic(out, renderers[out.suffix](lineage_page(found, session.project.problem)))
    return Answer(found.to_dict(), show_lineage(found, out))


def trace(
    session: Session,
    prediction: Annotated[str, typer.Argument(help="The id with which a prediction was answered.")],
) -> Answer:
    """Follow a prediction back. Its answer, the package and whether its bytes and its score still hold, data, commit, approvals, label."""
    from modelyard.cli.show.oversight.lineage import show_trace

    found = session.project.oversight.trace(prediction)
    return Answer(found.to_dict(), show_trace(found))


def add_to(app: typer.Typer) -> None:
    """Register the commands of this file."""
    for name, function in (("lineage", lineage), ("trace", trace)):
        verb(app, name)(function)
