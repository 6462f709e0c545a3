"""The one style sheet: calm type, white space, one accent, and colours that hold in the light, the dark and on paper."""

__all__ = ["STYLE"]

_LIGHT = """
color-scheme:light;--paper:#ffffff;--panel:#f6f7f9;--ink:#1b2430;--soft:#5b6675;--line:#e1e5ea;--grid:#e9ecf0;
--accent:#0b5cad;--error:#b42318;--warning:#8a5300;--info:#0b5cad;--error-bg:#fdf1f0;--warning-bg:#fdf6e9;
--info-bg:#eff5fb;--s1:#0b5cad;--s2:#c25700;--s3:#00796b;--s4:#a3357a;--s5:#3f8fd2;--s6:#5f6b7a;
--level1:#dbe8f6;--level2:#f0b45c;--level3:#b42318;--on-level3:#ffffff;
"""

_DARK = """
color-scheme:dark;--paper:#14181f;--panel:#1c222b;--ink:#e6eaf0;--soft:#9aa6b5;--line:#2d3641;--grid:#28303a;
--accent:#79b8f3;--error:#ff9c92;--warning:#f2bd66;--info:#79b8f3;--error-bg:#2c1d1e;--warning-bg:#2a2419;
--info-bg:#1a2635;--s1:#79b8f3;--s2:#f4a259;--s3:#4fc7b3;--s4:#e79ac7;--s5:#b5d7f7;--s6:#a4afbd;
--level1:#24384f;--level2:#b97f1f;--level3:#ff8f84;--on-level3:#14181f;
"""

_TYPE = """
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif;text-rendering:optimizeLegibility}
h1,h2{line-height:1.2;font-weight:650;letter-spacing:-.015em;text-wrap:balance}
h1{font-size:2.25rem;margin:0}
h2{font-size:1.5rem;margin:0 0 1.2rem}
h2:has(+.lead){margin-bottom:.4rem}
p{margin:0 0 1rem;max-width:68ch;text-wrap:pretty}
ul{margin:0 0 1rem;padding-left:1.2rem;max-width:68ch}
li{margin:.2rem 0}
code{font:.88em/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;background:var(--panel);
border-radius:4px;padding:.1em .35em;overflow-wrap:anywhere}
a{color:var(--accent);text-decoration:none}
a:hover{text-decoration:underline}
a:focus-visible,summary:focus-visible{outline:2px solid var(--accent);outline-offset:3px;border-radius:3px}
"""

_LAYOUT = """
.page{display:grid;grid-template-columns:11.5rem minmax(0,1fr);gap:0 4rem;max-width:76rem;margin:0 auto;
padding:4.5rem 2.5rem 3rem}
header{grid-column:2;margin-bottom:3rem;padding-bottom:2rem;border-bottom:1px solid var(--line)}
header p{margin:.7rem 0 0;color:var(--soft);font-size:1.1rem}
nav{grid-column:1;grid-row:1/span 2;font-size:.875rem}
nav ol{position:sticky;top:4.5rem;list-style:none;margin:.6rem 0 0;padding:0;max-height:calc(100vh - 6rem);overflow:auto}
nav a{display:block;padding:.3rem 0;color:var(--soft);line-height:1.35}
nav a:hover{color:var(--accent)}
main{grid-column:2;min-width:0}
section{margin-bottom:4rem;scroll-margin-top:2rem}
.lead{font-size:1.1rem;color:var(--soft);margin-bottom:1.6rem}
section>*:last-child{margin-bottom:0}
footer{grid-column:2;border-top:1px solid var(--line);padding-top:1.2rem;color:var(--soft);font-size:.85rem}
"""

_BLOCKS = """
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:1.6rem 2rem;margin:0 0 2.2rem}
.facts div{border-top:2px solid var(--accent);padding-top:.7rem;min-width:0}
.facts dt{color:var(--soft);font-size:.85rem}
.facts dd{margin:0}
.facts .value{font-size:1.75rem;font-weight:600;letter-spacing:-.02em;line-height:1.25;font-variant-numeric:tabular-nums;
overflow-wrap:anywhere}
.facts .note{color:var(--soft);font-size:.85rem;line-height:1.45}
.table{overflow-x:auto;margin:0 0 2.2rem}
table{border-collapse:collapse;width:100%;font-size:.92rem;line-height:1.45}
caption{text-align:left;font-weight:600;padding:0 0 .6rem}
th{font-weight:600;color:var(--soft);font-size:.82rem;text-align:left;vertical-align:bottom;
border-bottom:1.5px solid var(--ink);padding:.4rem 1.25rem .4rem 0}
td{vertical-align:top;border-bottom:1px solid var(--line);padding:.5rem 1.25rem .5rem 0;overflow-wrap:break-word}
td:last-child,th:last-child{padding-right:0}
tbody tr:hover{background:var(--panel)}
.compact{font-variant-numeric:tabular-nums}
.compact td,.compact th{white-space:nowrap;padding:.3rem 1rem .3rem 0;font-size:.85rem}
.compact td:first-child,.compact th:first-child{position:sticky;left:0;background:var(--paper);max-width:16rem;
overflow:hidden;text-overflow:ellipsis}
.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.empty{color:var(--soft)}
figure{margin:0 0 2.4rem;overflow-x:auto}
figcaption{font-weight:600;margin-bottom:.7rem;font-size:.95rem}
figure p{color:var(--soft);font-size:.88rem;margin:.6rem 0 0}
figure{position:relative}
.tools{position:absolute;top:0;right:0;display:flex;gap:.3rem;opacity:0;transition:opacity .15s}
figure:hover>.tools,.tools:focus-within{opacity:1}
.tools button{font:inherit;font-size:.72rem;line-height:1;padding:.3rem .5rem;color:var(--soft);background:var(--panel);
border:1px solid var(--line);border-radius:4px;cursor:pointer}
.tools button:hover,.tools button:focus-visible{color:var(--accent);border-color:var(--accent)}
.tip{position:fixed;z-index:9;pointer-events:none;max-width:22rem;padding:.4rem .6rem;border-radius:5px;font-size:.82rem;
line-height:1.4;background:var(--ink);color:var(--paper);font-variant-numeric:tabular-nums}
.tip div:first-child:not(:only-child){font-weight:600}
details{margin:0 0 1.6rem;border-top:1px solid var(--line);border-bottom:1px solid var(--line)}
details+details{margin-top:-1.6rem;border-top:0}
summary{cursor:pointer;padding:.7rem 0;font-weight:550}
summary:hover{color:var(--accent)}
details>div{padding:.6rem 0 1rem}
.tally{color:var(--soft);font-size:.9rem;margin-bottom:1rem}
.findings{list-style:none;margin:0 0 2.2rem;padding:0;max-width:none}
.findings li{border-left:3px solid var(--tone);background:var(--back);border-radius:0 6px 6px 0;margin:0 0 .8rem;
padding:.9rem 1.2rem}
.findings p{margin:.35rem 0 0;max-width:74ch;font-size:.95rem;line-height:1.5}
.findings .head{display:flex;flex-wrap:wrap;gap:.3rem .8rem;align-items:baseline;margin:0;max-width:none;
color:var(--soft);font-size:.82rem}
.findings .badge{color:var(--tone);font-weight:650}
.findings .head code{background:none;padding:0;color:var(--ink);font-weight:600}
.findings .row{margin-left:auto}
.findings .message{font-weight:550;font-size:1rem}
.findings .why{color:var(--soft)}
.findings .each{margin:.7rem 0 0}
.findings details{margin:.8rem 0 0;border:0}
.findings summary{font-weight:400;font-size:.95rem;padding:0}
.findings .evidence{color:var(--soft);font-size:.82rem;font-variant-numeric:tabular-nums;overflow-wrap:anywhere}
.error{--tone:var(--error);--back:var(--error-bg)}
.warning{--tone:var(--warning);--back:var(--warning-bg)}
.info{--tone:var(--info);--back:var(--info-bg)}
"""

_CHARTS = """
.chart{display:block;max-width:max(100%,30rem);height:auto}
.chart text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","Liberation Sans",Arial,
sans-serif;fill:var(--soft);font-variant-numeric:tabular-nums}
.chart .ink{fill:var(--ink)}
.chart .inverse{fill:var(--paper)}
.chart .strong{font-weight:650}
.chart .small{font-size:11px}
.chart .end{text-anchor:end}
.chart .mid{text-anchor:middle}
.chart .grid{stroke:var(--grid);stroke-width:1}
.chart .axis{stroke:var(--soft);stroke-width:1;opacity:.6}
.chart .guide{stroke:var(--soft);stroke-width:1.2;stroke-dasharray:2 4;stroke-linecap:round}
.chart .whisker{stroke:var(--ink);stroke-width:1.2;opacity:.75}
.chart .line{stroke-width:1.6}
.chart .thick{stroke-width:2.2;stroke-linecap:round;stroke-linejoin:round}
.chart .bar{opacity:.88}
.chart .band{fill-opacity:.13}
.chart .point circle{fill-opacity:.38}
.chart .outlined circle{fill-opacity:.85;stroke:var(--paper);stroke-width:.8}
.chart .tile{shape-rendering:crispEdges}
.chart .edge{fill:none;stroke:var(--ink);stroke-width:2;stroke-linecap:round}
.chart .quiet{opacity:.55}
.chart .hollow{fill:var(--paper);stroke:var(--ink);stroke-width:1.6}
.chart .s1{stroke:var(--s1);fill:none}
.chart .s2{stroke:var(--s2);fill:none;stroke-dasharray:7 4}
.chart .s3{stroke:var(--s3);fill:none;stroke-dasharray:2 4}
.chart .s4{stroke:var(--s4);fill:none;stroke-dasharray:10 4 2 4}
.chart .s5{stroke:var(--s5);fill:none}
.chart .s6{stroke:var(--s6);fill:none;stroke-dasharray:5 5}
.chart .f1{fill:var(--s1)}.chart .f2{fill:var(--s2)}.chart .f3{fill:var(--s3)}
.chart .f4{fill:var(--s4)}.chart .f5{fill:var(--s5)}.chart .f6{fill:var(--s6)}
.chart .level0{fill:var(--panel)}.chart .level1{fill:var(--level1)}
.chart .level2{fill:var(--level2)}.chart .level3{fill:var(--level3)}
.chart .unjudged{fill:none;stroke:var(--line)}
.chart .sign1{fill:var(--soft)}.chart .sign2{fill:#14181f}.chart .sign3{fill:var(--on-level3)}
"""

_NARROW = """
@media (max-width:60rem){
.page{grid-template-columns:minmax(0,1fr);padding:2.5rem 1.25rem 2rem}
header,main,footer,nav{grid-column:1}
nav{grid-row:auto;margin-bottom:2.5rem}
nav ol{position:static;display:flex;flex-wrap:wrap;gap:.1rem 1.1rem;margin:0;max-height:none}
header{margin-bottom:1.5rem;padding-bottom:1.4rem}
h1{font-size:1.8rem}
}
@media (max-width:30rem){
.facts{grid-template-columns:repeat(2,minmax(0,1fr));gap:1.1rem 1.4rem}
.compact td:first-child,.compact th:first-child{max-width:9rem}
}
"""

_PRINT = """
@media (hover:none){.tools{opacity:1;position:static;margin-top:.5rem}}
@media print{
.tools,.tip{display:none}
body{font-size:10.5pt}
.page{display:block;max-width:none;padding:0}
nav{display:none}
section{margin-bottom:1.6rem}
h2,figcaption,caption{break-after:avoid}
figure,.findings li,.facts,tr{break-inside:avoid}
.findings li{background:none}
a{color:inherit}
.table,figure{overflow:visible}
.chart{max-width:100%}
.compact td,.compact th{white-space:normal;font-size:7pt;padding:.15rem .4rem .15rem 0;overflow-wrap:break-word}
.compact td.n{white-space:nowrap}
.compact td:first-child,.compact th:first-child{position:static;max-width:none;overflow:visible}
.compact td:nth-child(2){white-space:nowrap;font-size:4.5pt}
thead{display:table-header-group}
details::details-content{content-visibility:visible;height:auto}
}
@page{margin:18mm 16mm}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
"""

STYLE = (
    f":root{{{_LIGHT}}}"
    f'@media screen and (prefers-color-scheme:dark){{:root:not([data-theme="light"]){{{_DARK}}}}}'
    f'@media screen{{:root[data-theme="dark"]{{{_DARK}}}}}'
    f"{_TYPE}{_LAYOUT}{_BLOCKS}{_CHARTS}{_NARROW}{_PRINT}"
).replace("\n", "")
"""The style sheet as one line of CSS; ``data-theme`` on the root element overrides the reader's colour scheme."""
