"""A report in one HTML file: no scripts, no fonts, nothing fetched."""

from __future__ import annotations

from html import escape
from typing import Any, Final

from podweave.model.errors import render_path
from podweave.review.reports.picture import draw
from podweave.review.reports.plots import plots
from podweave.review.review import Review, Reviewed
from podweave.review.simulation.day import simulate

_STYLE: Final = """
body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;
 color:#1f2933;background:#fff}
h1{font-size:1.6rem}
h2{font-size:1.2rem;margin-top:2.5rem;border-top:1px solid #d5dbe1;padding-top:1.2rem}
.verdict{border-radius:.8rem;color:#fff;font-size:.8rem;padding:.15rem .6rem;
 vertical-align:middle}
.keep{background:#2e7d32}.split{background:#c0392b}
table{border-collapse:collapse;margin:.6rem 0;width:100%}
td,th{border-bottom:1px solid #e4e9ed;padding:.3rem .5rem;text-align:left;vertical-align:top}
.error{color:#b71c1c}.warning{color:#b26a00}.note{color:#37648b}
code{background:#f1f4f6;border-radius:3px;padding:0 .25rem}
svg text{font:12px system-ui,sans-serif;fill:#26323b}svg .name{font-weight:600;font-size:13px}
svg .pod{font-weight:600;font-size:13px}svg .port{font-size:11px;fill:#4a5568}
svg .dial{fill:none;stroke:#4a5568;stroke-width:1.6}
figure{margin:1rem 0;overflow-x:auto;background:#fff}figcaption{color:#52606d;font-size:.85rem}
details summary{cursor:pointer;color:#37648b}
@media print{body{max-width:none}}
"""


def render(review: Review) -> str:
    """The whole page."""
    split = sum(each.judgement.verdict == "split" for each in review.reviewed)
    body = [
        f"<h1>podweave review</h1><p>{len(review.reviewed)} Pods, {split} to split, "
        f"{len(review.errors)} errors in the input.</p>"
    ]
    if review.errors:
        body.append("<h2>Input that can't be read</h2><ul>")
        body += [f'<li class="error">{escape(str(error))}</li>' for error in review.errors]
        body.append("</ul>")
    body += [_pod(each) for each in review.reviewed]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>podweave review</title><style>{_STYLE}</style></head><body>\n"
        + "\n".join(body)
        + "\n</body></html>\n"
    )


def _pod(reviewed: Reviewed) -> str:
    case = reviewed.judgement.case
    pod = case.pod
    verdict = reviewed.judgement.verdict
    title = escape(f"{pod.kind} {pod.namespace or 'default'}/{pod.name}")
    place = escape(f"{pod.file}:{reviewed.found.line(pod.path)}")
    parts = [
        f'<section><h2>{title} <span class="verdict {verdict}">{verdict}</span></h2>'
        f"<p><code>{place}</code></p><figure>{draw(case)}"
        "<figcaption>Arrows: who reaches for whose port. Dashed boxes: what stays together."
        "</figcaption></figure>",
        "<table><tr><th>level<th>line<th>finding<th>rule</tr>",
    ]
    for finding in reviewed.judgement.findings:
        parts.append(
            f'<tr><td class="{finding.level}">{finding.level}<td>{finding.line}'
            f"<td>{escape(finding.message)}<br><code>{escape(render_path(finding.path))}</code>"
            f"<td>{finding.rule}</tr>"
        )
    parts.append("</table><details><summary>Why these roles</summary><table>")
    parts.append("<tr><th>container<th>role<th>confidence<th>evidence</tr>")
    for each in case.standings:
        signs = "<br>".join(
            f"{sign.weight:+.1f} {sign.towards}: {escape(sign.text)}"
            for sign in sorted(each.signs, key=lambda sign: -sign.weight)
        )
        parts.append(
            f"<tr><td>{escape(each.name)}<td>{each.role}<td>{each.confidence:.0%}<td>{signs}</tr>"
        )
    parts.append("</table></details>")
    parts.append(_cost(reviewed.judgement.cost))
    if verdict == "split" and (day := simulate(case)) is not None:
        parts.append(plots(day))
    parts.append("</section>")
    return "".join(parts)


def _cost(cost: dict[str, Any]) -> str:
    if "hot" not in cost:
        return ""
    lines = [f"scaling is blocked: {reason}" for reason in cost.get("blocked", [])]
    lines += cost.get("arithmetic", [])
    if cost["unknown"]:
        lines.append(f"unknown, for want of requests: {', '.join(cost['unknown'])}")
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f"<h3>What it costs</h3><ul>{items}</ul>" if items else ""
