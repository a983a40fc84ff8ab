"""JUnit XML: a suite a file, a case a Pod; errors and warnings fail it."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from podweave.review.review import Review, Reviewed


def render(review: Review) -> str:
    """The XML text."""
    suites: dict[str, list[str]] = {}
    failures: dict[str, int] = {}
    errors: dict[str, int] = {}
    for each in review.reviewed:
        case, failed = _case(each)
        suites.setdefault(each.file, []).append(case)
        failures[each.file] = failures.get(each.file, 0) + failed
    for error in review.errors:
        file = error.file or "-"
        errors[file] = errors.get(file, 0) + 1
        suites.setdefault(file, []).append(
            f'    <testcase name="input" classname={quoteattr(file)}>\n'
            f"      <error message={quoteattr(_clean(str(error)))}/>\n    </testcase>\n"
        )
    total = sum(map(len, suites.values()))
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>\n',
        f'<testsuites name="podweave review" tests="{total}" failures="{sum(failures.values())}" '
        f'errors="{sum(errors.values())}">\n',
    ]
    for file, cases in suites.items():
        lines.append(
            f'  <testsuite name={quoteattr(file)} tests="{len(cases)}" '
            f'failures="{failures.get(file, 0)}" errors="{errors.get(file, 0)}">\n'
        )
        lines += cases
        lines.append("  </testsuite>\n")
    lines.append("</testsuites>\n")
    return "".join(lines)


def _case(reviewed: Reviewed) -> tuple[str, bool]:
    pod = reviewed.judgement.case.pod
    name = quoteattr(_clean(f"{pod.kind} {pod.namespace or 'default'}/{pod.name}"))
    head = f"    <testcase name={name} classname={quoteattr(pod.file)}"
    findings = reviewed.judgement.findings
    severe = [each for each in findings if each.level != "note"]
    notes = [each for each in findings if each.level == "note"]
    if not findings:
        return f"{head}/>\n", False
    lines = [f"{head}>\n"]
    if severe:
        text = "\n".join(
            f"{pod.file}:{each.line}: {each.level}: {each.message} [{each.rule}]" for each in severe
        )
        lines.append(
            f"      <failure type={quoteattr(severe[0].rule)} "
            f"message={quoteattr(_clean(severe[0].message))}>{escape(_clean(text))}</failure>\n"
        )
    if notes:
        text = "\n".join(f"{pod.file}:{each.line}: {each.message} [{each.rule}]" for each in notes)
        lines.append(f"      <system-out>{escape(_clean(text))}</system-out>\n")
    lines.append("    </testcase>\n")
    return "".join(lines), bool(severe)


def _clean(text: str) -> str:
    """Without the characters that XML can't hold, not even escaped."""
    return "".join(
        char
        for char in text
        if char in "\t\n\r"
        or " " <= char <= "\ud7ff"
        or "\ue000" <= char <= "\ufffd"
        or char > "\uffff"
    )
