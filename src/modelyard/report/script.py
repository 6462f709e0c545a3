"""The one script of a page with figures: values under the pointer, and each figure as a file.

It is part of the page, asks nobody for anything, and reads only what the charts say of themselves: titles of their marks,
names of their lines, and the scales of their axes. The page's policy names its digest, so that no other script can run.
Without it every figure stays as it is.
"""

import base64
import hashlib

__all__ = ["SCRIPT", "SCRIPT_SOURCE"]

_STATE = """
const tip = document.createElement("div"); tip.className = "tip"; tip.hidden = true; document.body.append(tip);
const NS = "http://www.w3.org/2000/svg";
const said = v => Math.abs(v) >= 1000 ? v.toLocaleString("en", {maximumFractionDigits: 1}) : String(+v.toPrecision(3));
function show(event, lines) {
  tip.replaceChildren(...lines.filter(Boolean).map(line => Object.assign(document.createElement("div"), {textContent: line})));
  tip.hidden = false;
  const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
  const top = event.clientY - tip.offsetHeight - 12;
  tip.style.left = Math.max(8, left) + "px";
  tip.style.top = (top < 8 ? event.clientY + 18 : top) + "px";
}
"""

_HOVER = """
function points(svg) {
  const found = [];
  for (const path of svg.querySelectorAll("path[data-name]"))
    for (const [, x, y] of path.getAttribute("d").matchAll(/([-\\d.]+) ([-\\d.]+)/g))
      found.push({x: +x, y: +y, name: path.dataset.name});
  for (const dot of svg.querySelectorAll("g.point circle"))
    found.push({x: +dot.getAttribute("cx"), y: +dot.getAttribute("cy"), name: dot.parentNode.dataset.name || ""});
  return found;
}
function plane(svg) {
  const at = svg.dataset.plane.split(" ").map(Number), known = points(svg), names = JSON.parse(svg.dataset.xNames || "[]");
  const value = (p, i) => at[i + 2] + (p - at[i]) / (at[i + 1] - at[i]) * (at[i + 3] - at[i + 2]);
  const mark = document.createElementNS(NS, "circle");
  mark.setAttribute("r", 5); mark.setAttribute("class", "hollow mark"); mark.style.display = "none"; svg.append(mark);
  svg.addEventListener("pointermove", event => {
    if (event.target.dataset && event.target.dataset.tip) { mark.style.display = "none"; return; }
    const p = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    let best = null, distance = 40;
    for (const q of known) {
      const d = Math.hypot(q.x - p.x, q.y - p.y);
      if (d < distance) { best = q; distance = d; }
    }
    mark.style.display = best ? "" : "none";
    if (!best) { tip.hidden = true; return; }
    mark.setAttribute("cx", best.x); mark.setAttribute("cy", best.y);
    const x = value(best.x, 0), name = names[Math.round(x)];
    show(event, [best.name, (svg.dataset.x || "x") + ": " + (name || said(x)), (svg.dataset.y || "y") + ": " + said(value(best.y, 4))]);
  });
  svg.addEventListener("pointerleave", () => { mark.style.display = "none"; tip.hidden = true; });
}
function marks(svg) {
  for (const title of svg.querySelectorAll("* > title")) {
    const owner = title.parentNode;
    owner.setAttribute("aria-label", title.textContent);
    if (owner !== svg) {
      owner.dataset.tip = title.textContent;
      owner.addEventListener("pointermove", event => show(event, [owner.dataset.tip]));
      owner.addEventListener("pointerleave", () => { tip.hidden = true; });
    }
    title.remove();
  }
}
"""

_FILES = """
function drawn(svg) {
  const copy = svg.cloneNode(true), look = getComputedStyle(document.documentElement);
  const fill = text => text.replace(/var\\((--[\\w-]+)\\)/g, (_, name) => look.getPropertyValue(name).trim());
  const rules = [...document.styleSheets[0].cssRules].filter(rule => (rule.selectorText || "").startsWith(".chart"));
  const style = document.createElementNS(NS, "style"), title = document.createElementNS(NS, "title");
  style.textContent = fill(rules.map(rule => rule.cssText).join("")) + fill(".chart{background:var(--paper)}");
  title.textContent = svg.getAttribute("aria-label") || "";
  copy.querySelectorAll(".mark").forEach(mark => mark.remove());
  copy.prepend(title, style);
  return new XMLSerializer().serializeToString(copy);
}
function save(address, name) { Object.assign(document.createElement("a"), {href: address, download: name}).click(); }
function tools(figure, svg) {
  const name = (svg.getAttribute("aria-label") || "figure").toLowerCase().replace(/[^a-z0-9]+/g, "-").replace(/^-|-$/g, "");
  const address = () => "data:image/svg+xml;charset=utf-8," + encodeURIComponent(drawn(svg));
  const button = (text, act) => Object.assign(document.createElement("button"),
    {type: "button", textContent: text, title: "Save this figure as " + text, onclick: act});
  const bar = document.createElement("div"); bar.className = "tools";
  bar.append(button("SVG", () => save(address(), name + ".svg")), button("PNG", () => {
    const image = new Image(), box = svg.viewBox.baseVal;
    image.onload = () => {
      const canvas = Object.assign(document.createElement("canvas"), {width: 2 * box.width, height: 2 * box.height});
      canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
      save(canvas.toDataURL("image/png"), name + ".png");
    };
    image.src = address();
  }));
  figure.append(bar);
}
for (const svg of document.querySelectorAll("figure > svg.chart")) {
  marks(svg);
  if (svg.dataset.plane) plane(svg);
  tools(svg.parentNode, svg);
}
"""

SCRIPT = f'"use strict";(() => {{{_STATE}{_HOVER}{_FILES}}})();'
"""The script as it stands in the page."""

SCRIPT_SOURCE = f"'sha256-{base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()}'"
"""Its digest, as a content security policy names it."""
