"""Write the pictures of the evaluation's page in `docs/images/`: trains on churn and on bikes, and asks Chromium to draw.

`python scripts/screenshots.py` takes about three minutes and needs `chromium` (on Debian: `apt-get install chromium`);
`python scripts/screenshots.py report-quantiles` draws that picture alone.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import polars as pl
from PIL import Image

from modelyard.evaluation import Evaluation, evaluation_page
from modelyard.evaluation.page.boundary import boundary_blocks
from modelyard.problem import load_problem
from modelyard.project import Project
from modelyard.report import Page, Section, render_html
from modelyard.training.run import load_run

ROOT = Path(__file__).parents[1]
IMAGES = ROOT / "docs" / "images"
WIDTH = 1280
PROJECT = """\
name: churn
objective: Call the customers who are about to leave, so that the retention team spends its calls where they count.
owner: Ada
data: {source: churn.parquet, target: Churn, positive: "Yes", id: customerID}
segments: [Contract, InternetService]
protected: [gender, SeniorCitizen]
expect: {tenure: decreasing, MonthlyCharges: increasing, TotalCharges: decreasing}
costs: {currency: EUR, volume_per_year: 50000, true_positive: 60, false_positive: -15, false_negative: -120}
existing_system: {rule: "tenure < 12 AND Contract = 'Month-to-month'"}
metrics: {guardrails: {roc_auc: ">= 0.80"}}
training: {families: [linear, random_forest, lightgbm], tuning_rounds: 2}
"""
BIKES = """\
name: bikes
objective: Say in the morning how many bikes will be rented in each hour, and how many it may be at most.
owner: Ada
data:
  source: bikes.parquet
  target: cnt
  time: timestamp
  exclude: {casual: a part of the target, registered: a part of the target, instant: a number of the row}
segments: [season, workingday]
evaluation: {quantiles: [0.05, 0.25, 0.5, 0.75, 0.95]}
training: {families: [linear, lightgbm], tuning_rounds: 2}
"""
PICTURES = {
    "report-answer": ("Is it good enough?", "light"),
    "report-reasons": ("What does it look at?", "light"),
    "report-trust": ("Can its numbers be trusted?", "dark"),
    "report-failures": ("Where does it fail?", "light"),
    "report-experts": ("And the experts?", "light"),
    "report-next": ("What to do next", "dark"),
}
"""File to the section of the churn page that it shows, and in which scheme."""

UNPRICED = {"report-boundary": ("Decision boundary", "light")}
"""The same for churn without prices: these put the threshold so low that the boundary lies outside of the picture."""

OF_VALUES = {"report-quantiles": ("How high, and how low?", "light")}
"""The same for the bikes."""


def evaluated(folder: Path) -> Page:
    """The page of an evaluation on the sealed test part, with two invented experts of the test rows."""
    shutil.copy(ROOT / "tests" / "data" / "telco_churn.parquet", folder / "churn.parquet")
    (folder / "modelyard.yaml").write_text(PROJECT, encoding="utf-8")
    project = Project.open(folder)
    project.audit()
    run = project.train(accept="pictures for the guide")
    rows = pl.read_parquet(folder / "churn.parquet")
    answers = rows.select(
        "customerID",
        ada=pl.when(pl.col("tenure") < 18).then(pl.col("Churn")).otherwise(pl.lit("No")),
        ben=pl.when(pl.col("Contract") == "Month-to-month").then(pl.lit("Yes")).otherwise(pl.lit("No")),
    )
    answers.write_csv(folder / "answers.csv")
    result: Evaluation = project.evaluate(open_test="the model is finished", experts=folder / "answers.csv")
    return page_of(project, folder, result, run.record.id)


def evaluated_without_prices(folder: Path) -> Page:
    """The boundary of a churn model whose threshold is the best for accuracy."""
    shutil.copy(ROOT / "tests" / "data" / "telco_churn.parquet", folder / "churn.parquet")
    lines = [line for line in PROJECT.splitlines() if not line.startswith(("costs", "metrics"))]
    (folder / "modelyard.yaml").write_text("\n".join([*lines, "metrics: {primary: accuracy}"]), encoding="utf-8")
    project = Project.open(folder)
    project.audit()
    run = project.train(accept="pictures for the guide")
    result = project.evaluate(open_test="the model is finished")
    page = page_of(project, folder, result, run.record.id)
    return Page(page.title, page.subtitle, (Section("Decision boundary", boundary_blocks(result)),), page.footer)


def evaluated_values(folder: Path) -> Page:
    """The page of hourly bikes, whose later hours are sealed, with quantiles."""
    shutil.copy(ROOT / "tests" / "data" / "bike_sharing_hourly.parquet", folder / "bikes.parquet")
    (folder / "modelyard.yaml").write_text(BIKES, encoding="utf-8")
    project = Project.open(folder)
    project.audit()
    run = project.train(accept="pictures for the guide")
    return page_of(project, folder, project.evaluate(open_test="the model is finished"), run.record.id)


def page_of(project: Project, folder: Path, result: Evaluation, run: str) -> Page:
    """The evaluation as a page."""
    problem, record = load_problem(folder).problem, load_run(run, project.workspace).record
    return evaluation_page(result, record, problem.model_copy(update={"task": record.task}), None)


def drawn(browser: str, html: str, image: Path, folder: Path) -> None:
    """One page as an image, as high as its content."""
    path = folder / "page.html"
    probe = "<script>document.body.dataset.height = document.documentElement.scrollHeight</script></body>"
    measured = re.sub(r"default-src 'none'[^\"]*", "default-src 'unsafe-inline' data:", html).replace("</body>", probe)
    path.write_text(measured, encoding="utf-8")
    flags = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        f"--user-data-dir={folder}/browser",
    ]
    command = [browser, *flags, f"--window-size={WIDTH},700"]
    document = subprocess.run(
        [*command, "--dump-dom", path.as_uri()], capture_output=True, text=True, check=True
    ).stdout
    height = int(re.findall(r'data-height="(\d+)"', document)[0])
    command[-1] = f"--window-size={WIDTH},{height + 100}"
    path.write_text(html, encoding="utf-8")
    subprocess.run([*command, f"--screenshot={image}", path.as_uri()], capture_output=True, check=True)
    Image.open(image).convert("RGB").quantize(96).save(image, optimize=True)  # a third of the size, no difference seen


def main(wanted: list[str]) -> int:
    """Train, evaluate, draw; all pictures, or those that are wanted."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("there is no browser. Install it: apt-get install chromium", file=sys.stderr)
        return 1
    for pictures, make in (
        (PICTURES, evaluated),
        (UNPRICED, evaluated_without_prices),
        (OF_VALUES, evaluated_values),
    ):
        drawing = {image: what for image, what in pictures.items() if not wanted or image in wanted}
        if not drawing:
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            page = make(folder)
            for image, (title, scheme) in drawing.items():
                sections = tuple(section for section in page.sections if section.title == title)
                html = render_html(Page(page.title, page.subtitle, sections, page.footer))
                html = html.replace('<html lang="en">', f'<html lang="en" data-theme="{scheme}">')
                drawn(browser, html, IMAGES / f"{image}.png", folder)
                print(f"written: docs/images/{image}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
