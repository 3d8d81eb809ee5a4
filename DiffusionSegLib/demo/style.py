"""The look of the page: readable in light and dark, on a wide screen and on a telephone."""

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #f6f7f9; --card: #ffffff; --ink: #17191d; --faint: #5c6470; --line: #dde1e7;
  --accent: #0b62c4; --good: #17703a; --doubt: #8a5a00; --bad: #b3261e;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #111317; --card: #1a1d23; --ink: #e9ebef; --faint: #9aa3b0; --line: #2d323b;
    --accent: #7db4ff; --good: #6fd394; --doubt: #f0bf5f; --bad: #ff8f85;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 1180px; background: var(--ground);
  color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.2rem; margin: 0; }
p { margin: .3rem 0; }
a { color: var(--accent); }
.lead { max-width: 46rem; }
.warning { font-weight: 600; color: var(--bad); }
.faint { color: var(--faint); font-size: .9rem; }
.table { overflow-x: auto; margin: 1.5rem 0; }
table { border-collapse: collapse; width: 100%; background: var(--card); border-radius: 10px; }
th, td { text-align: left; padding: .5rem .8rem; border-bottom: 1px solid var(--line); }
tr:last-child td { border-bottom: 0; }
th { font-size: .85rem; color: var(--faint); font-weight: 600; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
article {
  background: var(--card); border: 1px solid var(--line); border-radius: 12px;
  padding: 1.1rem 1.2rem; margin: 1.4rem 0;
}
header.sample { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; align-items: baseline; }
.facts { display: flex; flex-wrap: wrap; gap: .2rem 1.4rem; margin: .5rem 0 .9rem; }
.facts b { font-variant-numeric: tabular-nums; }
.FOUND { color: var(--good); } .UNCERTAIN { color: var(--doubt); } .NOT_FOUND { color: var(--bad); }
.row {
  display: grid; gap: .6rem; margin-top: .6rem;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 190px), 1fr));
}
figure { margin: 0; }
figure img { width: 100%; height: auto; display: block; border-radius: 6px; background: #000; }
figcaption { font-size: .85rem; color: var(--faint); margin-top: .25rem; }
.key { display: inline-block; width: 1.1em; height: .35em; border-radius: 2px; margin-right: .35em;
  vertical-align: middle; }
.bar { display: flex; align-items: center; gap: .4rem; font-size: .8rem; color: var(--faint); }
.bar i { flex: 1; height: .5rem; border-radius: 3px; }
@media print { body { max-width: none; } article { break-inside: avoid; } }
"""
