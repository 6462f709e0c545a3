"""The one script of a page: allowed by its digest, absent without figures, and at work in a browser if there is one."""

import base64
import hashlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from modelyard.report import (
    Cloud,
    Details,
    FieldCell,
    Page,
    Prose,
    Section,
    Series,
    bar_chart,
    field_chart,
    histogram_chart,
    line_chart,
    render_html,
    scatter_chart,
)
from modelyard.report.script import SCRIPT

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
needs_browser = pytest.mark.skipif(BROWSER is None, reason="a browser is missing. Run: sudo apt-get install chromium")

_PROBE = """
const svg = document.querySelectorAll("figure > svg.chart")[INDEX], box = svg.getBoundingClientRect();
const k = box.width / svg.viewBox.baseVal.width;
const at = {clientX: box.left + X * k, clientY: box.top + Y * k, bubbles: true};
(WHERE ? svg.querySelector(WHERE) : svg).dispatchEvent(new PointerEvent("pointermove", at));
document.body.dataset.said = [...document.querySelector(".tip").children].map(line => line.textContent).join(" | ");
HTMLAnchorElement.prototype.click = function () { document.body.dataset.saved = this.download + " " + this.href; };
svg.parentNode.querySelector(".tools button").click();
"""


def _page() -> Page:
    line = line_chart([Series("one", [0, 5, 10], [1, 3, 2])], title="A line", x_label="way", y_label="height")
    bar = bar_chart(["tenure"], [2.0], title="A bar", low=[1.0], high=[3.0])
    return Page("T", "", (Section("S", (line, bar)),))


def test_the_policy_names_the_script_s_digest() -> None:
    """The one script of the page is the one that the policy allows; nothing else may run, and nothing is fetched."""
    html = render_html(_page())
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()

    assert script == SCRIPT
    assert f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src 'sha256-{digest}'" in html
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|fetch\(|import\(|eval\(|innerHTML", script)
    assert "</script" not in SCRIPT


def test_a_page_without_figures_has_no_script() -> None:
    """Text alone allows none; a figure that is folded away counts as a figure."""
    bare = render_html(Page("T", "", (Section("S", (Prose("text"),)),)))
    folded = render_html(Page("T", "", (Section("S", (Details("more", _page().sections[0].blocks),)),)))

    assert "<script" not in bare
    assert "script-src" not in bare
    assert folded.count("<script>") == 1


def test_charts_tell_their_scales_and_names() -> None:
    """Lines, points and histograms say where their axes lie; hostile names stay text."""
    scatter = scatter_chart([0, 1], [2, 3], title="Points", x_label="a", y_label="b").svg
    histogram = histogram_chart([0, 1, 2], {"all": [1, 3]}, title="H", x_label="a").svg
    hostile = line_chart([Series('"><script>', [0, 1], [0, 1])], title="T", x_label='"', y_label="").svg
    dated = line_chart([Series("s", [0, 1], [0, 1])], title="T", x_label="day", y_label="", x_names=["Mo", "Tu"]).svg

    for svg in (scatter, histogram):
        numbers = re.findall(r'data-plane="([^"]+)"', svg)[0].split()
        assert len(list(map(float, numbers))) == 8
    assert 'data-name="all"' in histogram
    assert "<script" not in hostile
    assert 'data-name="&quot;&gt;&lt;script&gt;"' in hostile
    assert 'data-x-names="[&quot;Mo&quot;, &quot;Tu&quot;]"' in dated


def _shown(page: str, folder: Path) -> str:
    """The document after its scripts have run."""
    path = folder / "page.html"
    path.write_text(page, encoding="utf-8")
    flags = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        f"--user-data-dir={folder}/browser",
    ]
    command = [str(BROWSER), *flags, "--window-size=1200,900", "--dump-dom", path.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@needs_browser
def test_it_runs_in_a_browser(tmp_path: Path) -> None:
    """Under the page's own policy each figure gets its two buttons; a script that was slipped in does not run."""
    slipped = '<script>document.body.dataset.evil = "1"</script></body>'
    html = _shown(render_html(_page()).replace("</body>", slipped), tmp_path)

    assert html.count('class="tools"') == 2
    assert html.count(">SVG</button>") == 2
    assert html.count(">PNG</button>") == 2
    assert "data-evil" not in html


@needs_browser
@pytest.mark.parametrize(
    ("index", "where", "expected"),
    [(0, "", "one | way: 5 | height: 3"), (1, "rect", "tenure: 2 (1 to 3)")],
)
def test_values_under_the_pointer(index: int, where: str, expected: str, tmp_path: Path) -> None:
    """The middle point of the line with its values; the bar with its interval; and the figure as an SVG of its own."""
    page = render_html(_page())
    x, y = re.findall(r'<path d="M[\d. ]+L([\d.]+) ([\d.]+)L', page)[0]
    probe = _PROBE.replace("INDEX", str(index)).replace("X *", f"{x} *").replace("Y *", f"{y} *")
    probe = probe.replace("WHERE", f'"{where}"')
    allowed = re.sub(r"script-src [^\"]+", "script-src 'unsafe-inline'", page)
    html = _shown(allowed.replace("</body>", f"<script>{probe}</script></body>"), tmp_path)

    assert f'data-said="{expected}"' in html
    saved = re.findall(r'data-saved="([^"]+)"', html)[0]
    assert saved.startswith(("a-line.svg data:image/svg+xml", "a-bar.svg data:image/svg+xml"))
    assert "var(--" not in saved
    assert "var%28--" not in saved


@needs_browser
def test_points_upon_a_field_say_whose_they_are(tmp_path: Path) -> None:
    """Over a point of a cloud its name and values are shown, not the words of the shade below it."""
    cells = [[FieldCell(1, 0.2, "a shade")] * 2] * 2
    clouds = [Cloud("left", [1.0], [1.0])]
    field = field_chart([0, 2], [0, 2], cells, title="A field", x_label="way", y_label="height", clouds=clouds)
    page = render_html(Page("T", "", (Section("S", (field,)),)))
    x, y = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', page)[0]
    probe = _PROBE.replace("INDEX", "0").replace("X *", f"{x} *").replace("Y *", f"{y} *")
    probe = probe.replace("WHERE", '"g.point circle"')
    allowed = re.sub(r"script-src [^\"]+", "script-src 'unsafe-inline'", page)
    html = _shown(allowed.replace("</body>", f"<script>{probe}</script></body>"), tmp_path)

    assert 'data-said="left | way: 1 | height: 1"' in html
