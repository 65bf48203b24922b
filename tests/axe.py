"""What axe finds on an open page."""

import json
from pathlib import Path

AXE = Path(__file__).resolve().parents[1] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {
    "runOnly": {"type": "tag", "values": TAGS},
    "rules": {"target-size": {"enabled": True}},  # off by default, part of WCAG 2.2 AA
    "resultTypes": ["violations"],
}
COLOURS = ["color-contrast", "link-in-text-block"]  # all rules of these tags that look at colours
# Nine elements in ten are tokens of code, parts of formulas and lines of pictures, and each costs
# half a millisecond. Those that agree in names and classes up to the root, in what lies behind
# them, in colour, size and weight have one contrast: the first of a kind is measured for all (axe
# judges no empty text and no single character). Inside a formula names say nothing of colours.
# Tokens have no other property, so the others become plain text. The others of formulas and
# pictures are left out, from the leaves up, and an empty formula becomes a word; but a formula
# too wide for its box stays, as the box must be scrolled by keyboard. What names something stays,
# and demos are drawn by hand and measured throughout.
ONE_OF_A_KIND = """() => {
    for (const e of document.querySelectorAll("[data-again]")) e.removeAttribute("data-again");
    const places = new Map(), seen = new Set(), again = [], styles = new Map(), wide = new Set();
    const style = e => {
        if (!styles.has(e)) styles.set(e, getComputedStyle(e));
        return styles.get(e);
    };
    const place = e => {
        if (!e) return "";
        if (!places.has(e)) {
            const s = style(e), behind = [s.opacity, s.backgroundColor, s.backgroundImage];
            const own = [e.localName, e.getAttribute("class"), ...behind, place(e.parentElement)];
            const isPlain = e.matches(".katex *") && behind.join() === "1,rgba(0, 0, 0, 0),none";
            places.set(e, isPlain ? place(e.parentElement) : own.join("|"));
        }
        return places.get(e);
    };
    for (const e of document.querySelectorAll("body *:not(.sbs-demo, .sbs-demo *)")) {
        const s = style(e);
        if (s.overflowX !== "visible" && e.scrollWidth > e.clientWidth) {
            for (const part of e.querySelectorAll(".katex, .katex *")) wide.add(part);
        }
        const texts = [...e.childNodes].filter(n => n.nodeType === 3);
        const own = texts.map(n => n.data.trim()).join("");
        const text = [Math.min(own.length, 2), /[\\p{L}\\p{N}]/u.test(own), e.checkVisibility()];
        const look = [s.color, s.fontSize, s.fontWeight, s.textShadow, s.visibility];
        const kind = [...text, ...look, place(e)].join("|");
        if (seen.has(kind)) again.push(e); else seen.add(kind);
    }
    const isPart = e => e.matches("article .katex *, article svg *:not(title, desc)");
    const isToken = e => e.matches("pre span, code span, .sig span, .sig em")
        && e.attributes.length < 2 && e.hasAttribute("class");
    for (const e of again.reverse()) {
        if (e.childElementCount || wide.has(e)) e.setAttribute("data-again", "");
        else if (isPart(e)) e.remove();
        else if (isToken(e)) e.replaceWith(...e.childNodes);
        else e.setAttribute("data-again", "");
    }
    for (const e of document.querySelectorAll("article .katex")) {
        if (!e.childElementCount) e.replaceWith("formula");
    }
    axe.configure({rules: [{id: "color-contrast", selector: "*:not([data-again])"}]});
}"""


def violations(page, only=None, without=()):
    """One line for each place, or kind of place, that breaks a rule; the page is not as before.

    ``only`` names the rules to be asked, all if not given, and ``without`` those not to be asked:
    what a page is made of does not change with its theme, so a second theme needs the `COLOURS`
    only, and its colours do not change with its width.
    """
    page.evaluate(AXE.read_text(encoding="utf-8"))
    page.evaluate(ONE_OF_A_KIND)
    asked = {"rules": OPTIONS["rules"] | {name: {"enabled": False} for name in without}}
    if only is not None:
        asked["runOnly"] = {"type": "rule", "values": only}
    found = page.evaluate(f"axe.run(document, {json.dumps({**OPTIONS, **asked})})")
    return [
        f"{v['id']} ({v['impact']}): {node['target']} {node['failureSummary']}"
        for v in found["violations"]
        for node in v["nodes"]
    ]
