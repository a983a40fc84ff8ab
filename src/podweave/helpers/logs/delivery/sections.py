"""Under which name a checkpoint keeps the progress of each delivery.

A store that has a name is known by it; one that has none by its kind and place: a URL, a directory,
and what else tells it from others of its kind. Where a place is new and another of the kind isn't
configured any more, http has become https, a port or a host has changed: the progress is taken
over under the old name, and what is kept under that name beside the checkpoint (a spill, what came
through a pipe) comes along. Where it isn't clear which store has become which, everything is sent
again. A new name for a store begins anew: that is how a user has everything sent again.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Known:
    """What a checkpoint has: its sections, and `names`, the section of each store that isn't
    kept under its own name. None: it was written before stores were known by their names."""

    __slots__ = ("names", "sections")

    def __init__(self, sections: Iterable[str], names: Mapping[str, str] | None) -> None:
        self.sections = dict.fromkeys(sections)
        self.names = names


def own_names(stores: Sequence[tuple[str, str, str]]) -> tuple[list[str], list[str]]:
    """For each delivery to a store (kind, given name or "", place): the name of its own, and that
    by the place. What is delivered to the same store is numbered in the order of the pattern."""
    counts: dict[str, int] = {}

    def numbered(name: str) -> str:
        counts[name] = counts.get(name, -1) + 1
        return f"{name}#{counts[name]}"

    by_place = [numbered(f"{kind}:{place}") for kind, _, place in stores]
    return [
        numbered(f"{kind}/{name}") if name else place
        for (kind, name, _), place in zip(stores, by_place, strict=True)
    ], by_place


def sections_of(stores: Sequence[tuple[str, str, str]], known: Known) -> dict[str, str]:
    """The section of each delivery, by the name of its own."""
    own, by_place = own_names(stores)
    found: dict[str, str] = {}
    left = dict(known.sections)

    def take(name: str, section: str | None) -> None:
        if section is not None and name not in found and section in left:
            found[name] = section
            del left[section]

    for name in own:
        take(name, (known.names or {}).get(name))
    for name in own:
        take(name, name)
    if known.names is None:
        for name, place in zip(own, by_place, strict=True):
            take(name, place)
    unnamed = [name for name, place in zip(own, by_place, strict=True) if name == place]
    new = [name for name in unnamed if name not in found]
    wanted: dict[str, list[str]] = {}
    for section in left:
        if (successor := heir(section, new)) is not None:
            wanted.setdefault(successor, []).append(section)
    for name, sections in wanted.items():
        if len(sections) > 1:
            sections = [each for each in sections if _host(each) == _host(name)]
        if len(sections) == 1:
            take(name, sections[0])
    taken = set(found.values())
    for name in own:
        if name not in found:
            free = name
            while free in taken:
                free += "+"
            found[name] = free
            taken.add(free)
    return found


def heir(section: str, others: Sequence[str]) -> str | None:
    """Which of the others has come in a section's place; None where that isn't clear."""
    alike = [each for each in others if _role(each) == _role(section)]
    near = [each for each in alike if _host(each) == _host(section)]
    if len(near) == 1:
        return near[0]
    return alike[0] if len(alike) == 1 else None


def _role(section: str) -> tuple[str, str]:
    """The kind of its store, and its number."""
    name, _, number = section.rstrip("+").rpartition("#")
    return name.replace("/", ":", 1).partition(":")[0], number


def folder_name(section: str) -> str:
    """What tells a store from all others, whatever its number."""
    name, _, number = section.rpartition("#")
    return name + number.lstrip("0123456789")


def _host(section: str) -> str:
    """Of a store's URL or address; nothing for what has none."""
    place = section.partition(":")[2].rpartition("#")[0]
    authority = place.rpartition("://")[2].partition("/")[0]
    return authority.partition("]" if authority.startswith("[") else ":")[0]
