"""What the packages of all courses have in common: the manifest before it is sealed, and the card's files."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path

from modelyard.data import SplitRecord
from modelyard.packaging.build import BuildDetails
from modelyard.packaging.card import card_page
from modelyard.packaging.courses.story import CourseCardSource, course_card, course_metrics
from modelyard.packaging.finishing import write_json
from modelyard.packaging.manifest import PROTOCOL, Manifest
from modelyard.problem import Problem
from modelyard.report import render_html, render_markdown
from modelyard.version import __version__

__all__ = ["course_manifest", "write_card"]


def course_manifest(
    split: SplitRecord,
    problem: Problem,
    version: str,
    details: BuildDetails,
    run_id: str,
    requirements: Mapping[str, str],
    created_at: dt.datetime,
) -> Manifest:
    """The manifest, its files still open."""
    return Manifest(
        protocol=PROTOCOL,
        name=problem.name,
        version=version,
        digest="",
        files={},
        bytes=0,
        created_at=created_at,
        modelyard_version=__version__,
        code_commit=details.code_commit,
        dataset_id=split.dataset_id,
        split_id=split.id,
        run_id=run_id,
        ledger_position=details.ledger_position,
        requirements=requirements,
        author=details.author,
    )


def write_card(place: Path, source: CourseCardSource) -> None:
    """The record, its two renderings, and the figures."""
    card = course_card(source)
    page = card_page(card)
    write_json(place / "card.json", card.to_dict())
    (place / "card.md").write_text(render_markdown(page), encoding="utf-8")
    (place / "card.html").write_text(render_html(page), encoding="utf-8")
    write_json(place / "metrics.json", course_metrics(source))
