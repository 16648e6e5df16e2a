"""The style and the script of the page about reach. The script only folds and filters what is there."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;--line:#d8dee4;--dim:#59636e;--back:#fff;--text:#1f2328;--soft:#f6f8fa}
@media (prefers-color-scheme:dark){:root{--line:#30363d;--dim:#9198a1;--back:#0d1117;--text:#e6edf3;--soft:#161b22}}
body{margin:0;background:var(--back);color:var(--text);font:14px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:1200px;margin:0 auto;padding:24px 16px 64px}
h1{font-size:20px;line-height:1.35;margin:0 0 8px}h2{font-size:16px;margin:28px 0 8px}
h3{font-size:14px;margin:16px 0 4px}
.verdict{padding:8px 12px;border-left:4px solid #c99a1a;background:var(--soft)}.verdict.none{border-color:#3f8f56}
.picture{margin:16px 0;overflow:auto;border:1px solid var(--line);border-radius:8px}.picture svg{display:block}
table{border-collapse:collapse;width:100%;margin:4px 0}
th,td{text-align:left;vertical-align:top;padding:4px 12px 4px 0;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}
th{color:var(--dim);font-weight:500;font-size:12px;white-space:nowrap}
code,pre{font:12px/1.5 ui-monospace,SFMono-Regular,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
pre{padding:8px 12px;background:var(--soft);border-radius:6px;white-space:pre-wrap}
ul{list-style:none;margin:0 0 0 7px;padding:0 0 0 16px;border-left:1px solid var(--line)}li{padding:1px 0}
li>i,summary>i{display:inline-block;min-width:44px;color:var(--dim);font-style:normal}
li code{color:var(--dim)}b{font-weight:600}summary{cursor:pointer}
#files>details{padding:4px 0;border-bottom:1px solid var(--line)}:target>summary{background:var(--soft)}
.tools{position:sticky;top:0;z-index:1;display:flex;gap:8px;padding:8px 0;background:var(--back)}
.tools input{flex:1;min-width:0}.tools input,.tools button{font:inherit;color:inherit;background:var(--soft);
border:1px solid var(--line);border-radius:6px;padding:4px 10px}
"""

SCRIPT = """
const rows = [...document.querySelectorAll("li, tbody tr")];
const folds = [...document.querySelectorAll("details")];
const text = new Map(rows.map((row) => [row, row.textContent.toLowerCase()]));
const tools = document.createElement("div");
tools.className = "tools";
const field = document.createElement("input");
field.type = "search";
field.placeholder = "Filter by file, symbol, owner ...";
field.setAttribute("aria-label", "Filter");
const button = (words, act) => {
  const made = document.createElement("button");
  made.type = "button";
  made.textContent = words;
  made.addEventListener("click", act);
  return made;
};
const fold = (open) => folds.forEach((part) => { part.open = open; });
const filter = () => {
  const wanted = field.value.trim().toLowerCase();
  rows.forEach((row) => { row.hidden = !text.get(row).includes(wanted); });
  if (wanted) folds.forEach((part) => { part.open = part.textContent.toLowerCase().includes(wanted); });
};
let waiting = 0;
field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(filter, 120); });
tools.append(field, button("Unfold all", () => fold(true)), button("Fold all", () => fold(false)));
document.querySelector("h1").after(tools);
const reveal = () => {
  const part = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (part instanceof HTMLDetailsElement) { part.open = true; part.scrollIntoView(); }
};
addEventListener("hashchange", reveal);
reveal();
"""
