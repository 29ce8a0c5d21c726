"""How the page looks: its style sheet."""

STYLE = """\
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2330;--soft:#5b6470;--line:#d9dee5;--card:#f5f7fa;--a:#1f5fa8;--b:#c4581a;--c:#5f7d1f;--warn:#8a4b00;--warnbg:#fff4e0}
@media (prefers-color-scheme:dark){:root{--bg:#12161c;--fg:#e6eaf0;--soft:#9aa5b3;--line:#2d3540;--card:#1a2028;--a:#7db4f0;--b:#f0a060;--c:#a8cc60;--warn:#f2c27a;--warnbg:#2c2415}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);font:16px/1.5 system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.6rem;line-height:1.2;margin:0 0 .3rem;overflow-wrap:anywhere}
h2{font-size:1.15rem;margin:2.4rem 0 .6rem}
p{margin:.4rem 0;max-width:70ch;overflow-wrap:anywhere}
.soft,figcaption{color:var(--soft)}
figcaption{font-size:.9rem}
figure{margin:.8rem 0}
code,pre{font:.9em/1.45 ui-monospace,monospace}
pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.7rem;white-space:pre-wrap;overflow-wrap:anywhere;margin:.4rem 0}
.wide{overflow-x:auto}
table{border-collapse:collapse;width:100%;font-size:.95rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line);vertical-align:top}
th{font-weight:600;color:var(--soft)}
td.n,th.n{text-align:right;white-space:nowrap}
td.name{overflow-wrap:anywhere;min-width:8ch}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.8rem;margin:1rem 0}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:.8rem 1rem}
.card b{display:block;font-size:1.7rem;line-height:1.2;font-variant-numeric:tabular-nums}
ul.notes{list-style:none;padding:0;margin:1rem 0;display:grid;gap:.5rem}
ul.notes li{background:var(--card);border-left:4px solid var(--line);padding:.5rem .8rem;overflow-wrap:anywhere}
ul.notes li.warning{background:var(--warnbg);border-color:var(--warn)}
ul.notes li.warning b{color:var(--warn)}
.plot{display:grid;grid-template-columns:auto 1fr;gap:.2rem .6rem;font-size:.85rem;color:var(--soft)}
.plot svg{width:100%;height:240px;display:block;border-left:1px solid var(--line);border-bottom:1px solid var(--line)}
.plot .y,.plot .x{display:flex;justify-content:space-between;font-variant-numeric:tabular-nums}
.plot .y{flex-direction:column;text-align:right}
.plot .x{grid-column:2}
.plot.square svg{height:min(80vw,420px)}
svg path,svg line{fill:none;vector-effect:non-scaling-stroke;stroke-width:2}
.a{stroke:var(--a)}.b{stroke:var(--b);stroke-dasharray:6 4}.c{stroke:var(--c);stroke-dasharray:2 3}.g{stroke:var(--soft);stroke-dasharray:3 4}
svg .dot{stroke:var(--a);stroke-width:5;stroke-linecap:round;opacity:.65}
.key{display:flex;flex-wrap:wrap;gap:.2rem 1.2rem;font-size:.9rem;margin:.4rem 0}
.key svg{width:2.2rem;height:.7rem;vertical-align:middle;margin-right:.4rem}
.bars{display:grid;grid-template-columns:minmax(6rem,max-content) 1fr max-content;gap:.25rem .8rem;align-items:center;font-size:.95rem}
.bars span{overflow-wrap:anywhere}
.bars i{display:block;height:.9rem;background:var(--a);border-radius:2px;min-width:1px}
.bars em{font-style:normal;font-variant-numeric:tabular-nums;text-align:right}
.matrix table{width:auto}
.matrix td,.matrix th{padding:.3rem .6rem;border:1px solid var(--line);text-align:right}
.matrix td.right{outline:2px solid var(--soft);outline-offset:-2px}
@media (max-width:32rem){body{font-size:15px}.bars{grid-template-columns:minmax(5rem,9rem) 1fr max-content}th,td{padding-right:.5rem}}
@media print{body{font-size:12px}.card,pre{break-inside:avoid}}
"""
