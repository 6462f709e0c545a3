"""Write the pictures of the evaluation's page in `docs/images/`: trains on the churn sample, and asks Chromium to draw.

`python scripts/screenshots.py` takes about two minutes and needs `chromium` (on Debian: `apt-get install chromium`).
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
from modelyard.problem import load_problem
from modelyard.project import Project
from modelyard.report import Page, render_html
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
PICTURES = {
    "report-answer": ("Is it good enough?", "light"),
    "report-reasons": ("What does it look at?", "light"),
    "report-trust": ("Can its numbers be trusted?", "dark"),
    "report-failures": ("Where does it fail?", "light"),
    "report-experts": ("And the experts?", "light"),
    "report-next": ("What to do next", "dark"),
}
"""File to the section that it shows, and in which scheme."""


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
    problem = load_problem(folder).problem
    record = load_run(run.record.id, project.workspace).record
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


def main() -> int:
    """Train, evaluate, draw."""
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        print("there is no browser. Install it: apt-get install chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        page = evaluated(folder)
        for image, (title, scheme) in PICTURES.items():
            sections = tuple(section for section in page.sections if section.title == title)
            html = render_html(Page(page.title, page.subtitle, sections, page.footer))
            html = html.replace('<html lang="en">', f'<html lang="en" data-theme="{scheme}">')
            drawn(browser, html, IMAGES / f"{image}.png", folder)
            print(f"written: docs/images/{image}.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
