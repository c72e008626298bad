"""From Markdown and figures to one HTML file that needs nothing else and prints well."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping

_PAGE = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{{ title }}</title>
<style>
:root { color-scheme: light; --line: #d5dae0; --muted: #59626c; }
body {
  font: 16px/1.5 system-ui, sans-serif; color: #1f2730;
  max-width: 54rem; margin: 2rem auto; padding: 0 1rem
}
h1, h2, h3 { line-height: 1.25; margin: 2em 0 .6em }
h1 { margin-top: 0 }
h3 { border-top: 1px solid var(--line); padding-top: 1em }
table { border-collapse: collapse; font-size: .85em; display: block; overflow-x: auto; margin: 1em 0 }
th, td { border-bottom: 1px solid var(--line); padding: .25em .6em; text-align: left; vertical-align: top }
img { width: 100%; height: auto }
em:only-child { color: var(--muted); font-size: .9em }
code { font-size: .9em; overflow-wrap: anywhere }
details { margin: 1em 0 }
@media print {
  body { font-size: 10pt; max-width: none; margin: 0 }
  h2, h3 { break-after: avoid }
  img, tr { break-inside: avoid }
  table { display: table; font-size: 8pt }
  a { color: inherit; text-decoration: none }
}
@page { margin: 18mm 16mm }
</style>
</head>
<body>
{{ body }}
</body>
</html>
"""


def to_html(markdown: str, *, title: str, pictures: Mapping[str, bytes]) -> str:
    """A self-contained page.

    Args:
        markdown: CommonMark with tables; raw HTML in it is shown as text, never run.
        title: of the page.
        pictures: file name, as the Markdown refers to it -> SVG or PNG bytes, put into the page.
    """
    from jinja2 import Environment
    from markdown_it import MarkdownIt
    from markupsafe import Markup

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(markdown)

    def embed(match: re.Match[str]) -> str:
        data = pictures.get(match[1])
        return match[0] if data is None else f'src="{_data_url(match[1], data)}"'

    body = re.sub(r'src="([^":]+)"', embed, body)
    return Environment(autoescape=True).from_string(_PAGE).render(title=title, body=Markup(body))


def _data_url(name: str, data: bytes) -> str:
    kind = "image/svg+xml" if name.endswith(".svg") else "image/png"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
