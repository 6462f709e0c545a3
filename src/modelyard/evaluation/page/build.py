"""The whole page, section by section."""

import dataclasses

from modelyard.audit import AuditReport
from modelyard.core import Severity
from modelyard.evaluation.page.account import account_section
from modelyard.evaluation.page.answer import answer_section, winner_section, worth_section
from modelyard.evaluation.page.experts import experts_section
from modelyard.evaluation.page.failures import failures_section
from modelyard.evaluation.page.learning import learning_section
from modelyard.evaluation.page.periods import periods_section
from modelyard.evaluation.page.pictures import pictures_section
from modelyard.evaluation.page.profit import profit_blocks
from modelyard.evaluation.page.reasons import reasons_section
from modelyard.evaluation.page.sureness import quantiles_section, regions_section
from modelyard.evaluation.page.weaknesses import robustness_section
from modelyard.evaluation.records import Evaluation
from modelyard.problem import Problem
from modelyard.report import Block, Details, Findings, Page, Section
from modelyard.training.records import TrainingRun

__all__ = ["evaluation_page"]


def evaluation_page(evaluation: Evaluation, run: TrainingRun, problem: Problem, audit: AuditReport | None) -> Page:
    """The evaluation as a page for people who decide, and for those who check them.

    In this order: the answer, why (this winner, its worth, its reasons, its curves), where it fails, what to do next, and
    the account.

    Parameters
    ----------
    audit
        What was seen in the training part; its open findings are listed under what to do next.
    """
    sections = (
        answer_section(evaluation, problem),
        winner_section(evaluation, run),
        _worth(evaluation, problem),
        reasons_section(evaluation),
        pictures_section(evaluation),
        regions_section(evaluation),
        quantiles_section(evaluation),
        failures_section(evaluation),
        periods_section(evaluation),
        experts_section(evaluation.experts),
        robustness_section(evaluation),
        learning_section(run),
        _next_section(evaluation, audit),
        account_section(evaluation, run),
    )
    return Page(
        title=f"Evaluation of {problem.name}",
        subtitle=problem.objective or f"Predicting {run.target}.",
        sections=tuple(section for section in sections if section is not None),
        footer=f"Run {run.id}, evaluated {evaluation.created_at:%Y-%m-%d %H:%M} UTC.",
    )


def _worth(evaluation: Evaluation, problem: Problem) -> Section | None:
    """Money and threshold, then the curve behind both."""
    section = worth_section(evaluation, problem)
    if section is None:
        return None
    return dataclasses.replace(section, blocks=(*section.blocks, *profit_blocks(evaluation)))


def _next_section(evaluation: Evaluation, audit: AuditReport | None) -> Section:
    errors = sum(finding.severity is Severity.ERROR for finding in evaluation.findings)
    others = len(evaluation.findings) - errors
    if errors:
        lead = f"{errors} finding{'s' if errors > 1 else ''} must be settled before this model is used."
    elif others:
        lead = f"Nothing forbids the next step; {others} finding{'s want' if others > 1 else ' wants'} a decision."
    else:
        lead = "No check objects. The next step is to package the model."
    blocks: list[Block] = [Findings(evaluation.findings, "No check of the evaluation found anything to settle.")]
    if audit is not None and audit.findings:
        blocks.append(Details(f"{len(audit.findings)} findings of the data audit", (Findings(audit.findings),)))
    return Section("What to do next", tuple(blocks), lead)
