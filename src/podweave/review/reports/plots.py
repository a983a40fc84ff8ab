"""The simulated day as SVG: what is asked for together and apart, and the nodes of a cluster."""

from __future__ import annotations

from html import escape
from typing import Final

from podweave.review.simulation.day import Day

_WIDTH: Final = 560
_HEIGHT: Final = 200
_LEFT: Final = 56
_COLOURS: Final = ("#c0392b", "#1f6f54")


def plots(day: Day) -> str:
    """Figures of one day."""
    together, apart = day.enough, day.apart
    names = ("together", "apart")
    figures = [
        _figure("requested cores", names, (together.cores, apart.cores)),
        _figure(
            "requested memory, GiB",
            names,
            tuple([value / 2**30 for value in series.memory] for series in (together, apart)),
        ),
    ]
    if together.nodes and apart.nodes:
        title = f"nodes for {day.plan.cluster} such Pods"
        figures.append(
            _figure(title, names, ([*map(float, together.nodes)], [*map(float, apart.nodes)]))
        )
    assumed = "; ".join(dict.fromkeys(day.assumptions))
    return "<h3>A day of load</h3>" + "".join(figures) + f"<p>Assumed: {escape(assumed)}.</p>"


def _figure(title: str, names: tuple[str, ...], series: tuple[list[float], ...]) -> str:
    top = _round(max(max(values) for values in series))
    parts = [
        '<figure><svg xmlns="http://www.w3.org/2000/svg" '
        f'viewBox="0 0 {_WIDTH + 20} {_HEIGHT + 44}" '
        f'role="img" aria-label="{escape(title)}" style="max-width:{_WIDTH + 20}px">'
    ]
    for share in (0.0, 0.5, 1.0):
        y = _y(top * share, top)
        parts.append(
            f'<path d="M{_LEFT} {y:.1f}H{_WIDTH}" stroke="#e0e6ea"/>'
            f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" class="port">'
            f"{top * share:g}</text>"
        )
    for hour in range(0, 25, 6):
        x = _LEFT + (_WIDTH - _LEFT) * hour / 24
        parts.append(
            f'<text x="{x:.1f}" y="{_HEIGHT + 18}" text-anchor="middle" class="port">'
            f"{hour}:00</text>"
        )
    for index, (name, values) in enumerate(zip(names, series, strict=True)):
        colour = _COLOURS[index % len(_COLOURS)]
        parts.append(
            f'<path d="{_path(values, top)}" fill="none" stroke="{colour}" stroke-width="2"/>'
            f'<text x="{_LEFT + 10 + index * 90}" y="{_HEIGHT + 38}" style="fill:{colour}">'
            f"— {name}</text>"
        )
    parts.append(f"</svg><figcaption>{escape(title)}</figcaption></figure>")
    return "".join(parts)


def _path(values: list[float], top: float) -> str:
    """Steps: replicas don't change gradually."""
    step = (_WIDTH - _LEFT) / len(values)
    parts = [f"M{_LEFT} {_y(values[0], top):.1f}"]
    for index, value in enumerate(values):
        parts.append(f"V{_y(value, top):.1f}H{_LEFT + step * (index + 1):.1f}")
    return "".join(parts)


def _y(value: float, top: float) -> float:
    return _HEIGHT - (value / top) * (_HEIGHT - 14) if top else float(_HEIGHT)


def _round(value: float) -> float:
    """The next pleasant number: 1, 2 or 5 times a power of ten."""
    if value <= 0:
        return 1.0
    unit = 10.0 ** (len(str(int(value))) - 1) if value >= 1 else 0.1
    return next(unit * factor for factor in (1, 2, 3, 4, 5, 6, 8, 10, 20) if unit * factor >= value)
