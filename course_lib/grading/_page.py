"""What the pages of feedback and statistics share: a document without scripts, and safe text.

Whatever comes from a submission passes through :func:`text` or :func:`picture`.
"""

import base64
import binascii
import hashlib
import html
import re
import struct
from datetime import datetime

PNG = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 10_000_000  # a small file can unpack to gigabytes in the browser
_TERMINAL = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\^_]?)")
_SIGNS = {code: chr(0x2400 + code) for code in range(32) if chr(code) not in "\t\n"}
_SIGNS |= {0x7F: "\u2421"} | dict.fromkeys(range(0x80, 0xA0), "\ufffd")
# Signs that turn the direction of the text after them: what is read would not be what is there.
_SIGNS |= {c: f"‹U+{c:04X}›" for c in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}

STYLE = """
:root { color-scheme: light dark; --page: #fff; --ink: #1c2128; --soft: #57606a; --line: #d0d7de;
  --box: #f6f8fa; --link: #0b5cad; --good: #1a6b34; --some: #7d5200; --bad: #b3261e; }
@media screen and (prefers-color-scheme: dark) {
  :root { --page: #14181d; --ink: #e4e8ec; --soft: #a5afba; --line: #3a424c; --box: #1d232a;
    --link: #7ab8ff; --good: #6fd08c; --some: #e8b45a; --bad: #ff9b91; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.25rem 1rem 3rem; max-width: 46rem; background: var(--page);
  color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; line-height: 1.3; margin: 2.25rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.25rem 0 .25rem; }
p { margin: .5rem 0; }
a { color: var(--link); }
a:focus-visible, summary:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
pre { margin: .5rem 0; padding: .6rem .75rem; background: var(--box); border: 1px solid var(--line);
  border-radius: 6px; font: .875rem/1.5 ui-monospace, Menlo, Consolas, monospace;
  white-space: pre-wrap; overflow-wrap: anywhere; overflow: hidden; tab-size: 4; }
img { display: block; max-width: 100%; height: auto; margin: .5rem 0; background: #fff; }
.soft { color: var(--soft); }
.good { color: var(--good); } .some { color: var(--some); } .bad { color: var(--bad); }
@media print { :root { color-scheme: light; } body { max-width: none; } }
"""


def clean(value):
    """Return text that shows what is there: no terminal codes, nothing that turns or ends it."""
    value = str(value).encode("utf-8", "replace").decode("utf-8")
    value = _TERMINAL.sub("", value.replace("\r\n", "\n"))
    if "\r" in value:  # a progress bar paints over its line: the last one shows
        painted = (line.rstrip("\r").rsplit("\r", 1)[-1] for line in value.split("\n"))
        value = "\n".join(painted)
    return value.translate(_SIGNS)


def text(value):
    """Return the text for a place in HTML, where it stays text."""
    return html.escape(clean(value), quote=True)


def picture(data):
    """Return (width, height, base64) of a PNG, or None for anything else."""
    try:
        raw = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError, TypeError):
        return None
    if raw[:8] != PNG or raw[12:16] != b"IHDR" or len(raw) < 33:
        return None
    width, height = struct.unpack(">II", raw[16:24])
    if not 0 < width * height <= MAX_PIXELS:
        return None
    return width, height, base64.b64encode(raw).decode()


def number(value):
    """Return points as people write them: 3, 2.5, 0.33."""
    return f"{round(float(value), 2) + 0:g}"


def moment(stamp):
    """Return a time for people, or the text as it is."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return text(stamp)
    shown = f"{when.day} {when:%B %Y, %H:%M}" + (f" {when.tzname()}" if when.tzinfo else "")
    return f'<time datetime="{text(stamp)}">{text(shown)}</time>'


def document(title, style, body):
    """Return a whole page that loads nothing and runs nothing, whatever ``body`` holds."""
    style = STYLE + style
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; "
    policy += "base-uri 'none'; form-action 'none'"
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{text(title)}</title>
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
