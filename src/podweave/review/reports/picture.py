"""A Pod as SVG: its containers by group, volumes below, ports on the left, who talks to whom."""

from __future__ import annotations

from html import escape
from typing import Final

from podweave.review.case import Case
from podweave.review.standing import Standing

_WIDTH: Final = 190
_HEIGHT: Final = 62
_GAP: Final = 34
_BETWEEN: Final = 64
_TOP: Final = 86
_FILL: Final = {
    "app": "#dbeafe", "tier": "#fde2d0", "sidecar": "#dcf5e3", "ambassador": "#e7defa",
    "adapter": "#fbf1c7", "init": "#eceff1",
}  # fmt: skip


def draw(case: Case) -> str:
    """The SVG element."""
    groups = case.grouping.groups
    by_name = {each.name: each for each in case.standings}
    columns: dict[str, tuple[int, int]] = {}
    left = 40
    boxes: list[str] = []
    bottom = 0
    for group in groups:
        height = len(group) * (_HEIGHT + _GAP) + 8
        for row, name in enumerate(group):
            columns[name] = (left + 14, _TOP + row * (_HEIGHT + _GAP))
        if len(groups) > 1:
            boxes.append(
                f'<rect x="{left}" y="{_TOP - 12}" width="{_WIDTH + 28}" height="{height - 14}" '
                'rx="10" fill="none" stroke="#c0392b" stroke-dasharray="5 4"/>'
            )
        bottom = max(bottom, _TOP - 12 + height)
        left += _WIDTH + 28 + _BETWEEN
    width = max(left - _BETWEEN + 40, 420)
    volumes = _volumes(case)
    width = max(width, 60 + 160 * len(volumes))
    disks_at = bottom + 30
    height = disks_at + (64 if volumes else 10)
    title = escape(f"{case.pod.kind} {case.pod.name}")
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height + 20}" '
        f'role="img" aria-label="{title}" style="max-width:{width}px">',
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 8 4 0 8z" fill="#4a5568"/></marker></defs>',
        f'<rect x="16" y="24" width="{width - 32}" height="{bottom - 16}" rx="14" fill="#fafbfc" '
        'stroke="#90a4ae"/>',
        f'<text x="24" y="16" class="pod">{title}</text>',
        *boxes,
    ]
    free = 24
    for volume, users in volumes.items():
        x = max(free, min(columns[users[0]][0], width - 170))
        free = x + 160
        parts.append(
            f'<rect x="{x}" y="{disks_at}" width="150" height="34" rx="17" fill="#fff" '
            f'stroke="#78909c"/><text x="{x + 75}" y="{disks_at + 21}" text-anchor="middle">'
            f"{escape(volume[:22])}</text>"
        )
        for user in users:
            top = columns[user]
            parts.append(
                f'<path d="M{top[0] + 20} {top[1] + _HEIGHT} L{x + 75} {disks_at}" fill="none" '
                'stroke="#b0bec5" stroke-dasharray="2 3"/>'
            )
    for dial in case.relations.dials:
        parts.append(_arrow(columns[dial.client], columns[dial.server], str(dial.port)))
    for name, (x, y) in columns.items():
        parts += _box(by_name[name], x, y)
    return "".join([*parts, "</svg>"])


def _box(each: Standing, x: int, y: int) -> list[str]:
    parts = [
        f'<rect x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="8" '
        f'fill="{_FILL[each.role]}" stroke="#607d8b"/>',
        f'<text x="{x + 10}" y="{y + 24}" class="name">{escape(each.name[:24])}</text>',
        f'<text x="{x + 10}" y="{y + 44}">{each.role} · {each.confidence:.0%}</text>',
    ]
    ports = " ".join(f":{port.number}" for port in each.facts.ports[:3])
    if ports:
        parts.append(
            f'<text x="{x + _WIDTH - 10}" y="{y + 44}" text-anchor="end" class="port">'
            f"{ports}</text>"
        )
    return parts


def _arrow(start: tuple[int, int], end: tuple[int, int], label: str) -> str:
    if start[0] == end[0]:
        if abs(end[1] - start[1]) > _HEIGHT + _GAP:
            # Around the side of what stands between.
            edge = start[0] + _WIDTH
            y1, y2 = start[1] + _HEIGHT // 2, end[1] + _HEIGHT // 2
            return (
                f'<path d="M{edge} {y1} C{edge + 46} {y1} {edge + 46} {y2} {edge} {y2}" '
                'class="dial" marker-end="url(#tip)"/>'
                f'<text x="{edge + 38}" y="{(y1 + y2) // 2 + 4}" class="port">:{label}</text>'
            )
        x = start[0] + _WIDTH - 24
        down = end[1] > start[1]
        y1 = start[1] + (_HEIGHT if down else 0)
        y2 = end[1] + (0 if down else _HEIGHT)
        return (
            f'<path d="M{x} {y1} L{x} {y2}" class="dial" marker-end="url(#tip)"/>'
            f'<text x="{x + 6}" y="{(y1 + y2) // 2 + 4}" class="port">:{label}</text>'
        )
    right = end[0] > start[0]
    step = _WIDTH + 28 + _BETWEEN
    if abs(end[0] - start[0]) > step or start[1] != end[1]:
        # Over the heads of what stands between.
        x1, x2 = start[0] + _WIDTH // 2, end[0] + _WIDTH // 2
        y1, y2 = start[1], end[1]
        peak = min(y1, y2, _TOP) - 44
        return (
            f'<path d="M{x1} {y1} C{x1} {peak} {x2} {peak} {x2} {y2}" class="dial" '
            f'marker-end="url(#tip)"/><text x="{(x1 + x2) // 2}" y="{peak + 6}" '
            f'text-anchor="middle" class="port">:{label}</text>'
        )
    x1, x2 = start[0] + (_WIDTH if right else 0), end[0] + (0 if right else _WIDTH)
    y = start[1] + _HEIGHT // 2
    return (
        f'<path d="M{x1} {y} L{x2} {y}" class="dial" marker-end="url(#tip)"/>'
        f'<text x="{(x1 + x2) // 2}" y="{y - 6}" text-anchor="middle" class="port">:{label}</text>'
    )


def _volumes(case: Case) -> dict[str, list[str]]:
    """Volumes with files, and the containers that mount them."""
    found: dict[str, list[str]] = {}
    for name, volume in case.pod.volumes.items():
        if volume.kind in {"config", "secret"}:
            continue
        users = [
            each.name
            for each in case.standings
            if any(mount.volume == name for mount in each.facts.mounts)
        ]
        if users:
            found[name] = users
    return dict(list(found.items())[:8])
