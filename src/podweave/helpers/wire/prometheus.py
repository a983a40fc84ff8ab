"""Metrics in the Prometheus text format 0.0.4.

A family has a name that carries its unit (`_bytes`, `_seconds`; `_total` for counters), a help
line and label names. Its samples are objects with a `value` that hot code adds to directly.

    registry = Registry()
    bytes_total = registry.counter("podweave_relayed_bytes_total", "Bytes relayed.", "direction")
    upstream = bytes_total.labels("upstream")
    upstream.value += 512
    registry.render()
"""

from __future__ import annotations

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

DURATION_BUCKETS = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Seconds: from a local dial to a stuck one."""

_INFINITE = float("inf")


class Sample:
    """One time series: a number under a set of label values."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value: float = 0


class Observations:
    """One time series of a histogram."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        index = 0
        for bound in self.bounds:
            if value <= bound:
                break
            index += 1
        self.counts[index] += 1
        self.sum += value


class Family:
    """The samples of one metric name. Without label names: `labels()` is its only sample."""

    def __init__(self, kind: str, name: str, help_: str, label_names: tuple[str, ...]) -> None:
        check_name(name)
        for label in label_names:
            check_label(label)
        if (kind == "counter") != name.endswith("_total"):
            raise ValueError(f"{name}: counters, and only they, end in _total")
        self.kind = kind
        self.name = name
        self.help = help_
        self.label_names = label_names
        self._samples: dict[tuple[str, ...], Sample] = {}

    def labels(self, *values: str) -> Sample:
        if len(values) != len(self.label_names):
            raise ValueError(f"{self.name}: takes labels {self.label_names}, not {values}")
        sample = self._samples.get(values)
        if sample is None:
            sample = self._samples[values] = Sample()
        return sample

    def add(self, amount: float, *values: str) -> None:
        self.labels(*values).value += amount

    def set(self, value: float, *values: str) -> None:
        self.labels(*values).value = value

    def clear(self) -> None:
        """Forget all samples: for gauges whose label values come and go."""
        self._samples.clear()

    def lines(self) -> list[str]:
        return [
            f"{self.name}{_labels(self.label_names, values)} {_number(sample.value)}"
            for values, sample in self._samples.items()
        ]


class Histogram:
    """Observations in cumulative buckets; the unit is in the name."""

    kind = "histogram"

    def __init__(
        self, name: str, help_: str, label_names: tuple[str, ...], bounds: tuple[float, ...]
    ) -> None:
        check_name(name)
        self.name = name
        self.help = help_
        self.label_names = label_names
        self._bounds = bounds
        self._series: dict[tuple[str, ...], Observations] = {}

    def labels(self, *values: str) -> Observations:
        if len(values) != len(self.label_names):
            raise ValueError(f"{self.name}: takes labels {self.label_names}, not {values}")
        series = self._series.get(values)
        if series is None:
            series = self._series[values] = Observations(self._bounds)
        return series

    def adopt(self, series: Observations, *values: str) -> None:
        """Show observations that are made elsewhere; their bounds must be this histogram's."""
        self._series[values] = series

    def lines(self) -> list[str]:
        lines = []
        names = (*self.label_names, "le")
        for values, series in self._series.items():
            count = 0
            for bound, in_bucket in zip((*self._bounds, _INFINITE), series.counts, strict=True):
                count += in_bucket
                labels = _labels(names, (*values, _number(bound)))
                lines.append(f"{self.name}_bucket{labels} {count}")
            labels = _labels(self.label_names, values)
            lines.append(f"{self.name}_sum{labels} {_number(series.sum)}")
            lines.append(f"{self.name}_count{labels} {count}")
        return lines


class Registry:
    """The families of a program, rendered in the order in which they were made."""

    def __init__(self) -> None:
        self._families: dict[str, Family | Histogram] = {}

    def counter(self, name: str, help_: str, *label_names: str) -> Family:
        return self._family(Family("counter", name, help_, label_names))

    def gauge(self, name: str, help_: str, *label_names: str) -> Family:
        return self._family(Family("gauge", name, help_, label_names))

    def histogram(
        self,
        name: str,
        help_: str,
        *label_names: str,
        bounds: tuple[float, ...] = DURATION_BUCKETS,
    ) -> Histogram:
        histogram = Histogram(name, help_, label_names, bounds)
        self._enter(histogram)
        return histogram

    def families(self) -> list[Family | Histogram]:
        """All there are, in the order in which they were made."""
        return list(self._families.values())

    def render(self) -> bytes:
        lines: list[str] = []
        for family in self._families.values():
            samples = family.lines()
            if samples:
                lines.append(f"# HELP {family.name} {_escape_help(family.help)}")
                lines.append(f"# TYPE {family.name} {family.kind}")
                lines.extend(samples)
        return "".join(line + "\n" for line in lines).encode()

    def _family(self, family: Family) -> Family:
        self._enter(family)
        if not family.label_names:
            family.labels()
        return family

    def _enter(self, family: Family | Histogram) -> None:
        if family.name in self._families:
            raise ValueError(f"{family.name}: is there already")
        self._families[family.name] = family


def check_name(name: str) -> None:
    if not name.replace(":", "_").isidentifier() or not name.isascii():
        raise ValueError(f"{name!r} is no metric name")


def check_label(label: str) -> None:
    if not label.isidentifier() or not label.isascii() or label.startswith("__"):
        raise ValueError(f"{label!r} is no label name")


def _labels(names: tuple[str, ...], values: tuple[str, ...]) -> str:
    if not names:
        return ""
    pairs = zip(names, values, strict=True)
    return "{" + ",".join(f'{name}="{_escape_label(value)}"' for name, value in pairs) + "}"


def _escape_label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _escape_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    if value != value:
        return "NaN"
    if value in (_INFINITE, -_INFINITE):
        return "+Inf" if value > 0 else "-Inf"
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(float(value))
