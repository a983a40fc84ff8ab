"""What a log sidecar says of what it didn't deliver, and of what it never found."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podweave.helpers.journal import Journal
    from podweave.helpers.logs.delivery.delivery import Delivery

TOLD_PATHS = 10


def tell_what_is_left(
    delivery: Delivery, drain: float, journal: Journal, *, lasts: bool = False
) -> None:
    """Say how much isn't delivered, why, and where it is; nothing where all is delivered.

    `drain`: the seconds that there were for it. `lasts`: the files, and the place in them, are
    there for the next Pod.
    """
    overflow = delivery.overflow
    if delivery.finished and not delivery.left_on_disk:
        return
    facts: dict[str, object] = {
        "source": delivery.label,
        "store": delivery.store_name,
        "reason": delivery.hindrance(),
        "unread_bytes": delivery.source.unread_bytes(),
        "unacknowledged_bytes": delivery.unacknowledged_bytes(),
    }
    if not overflow.empty:
        facts["spilled_bytes"] = overflow.size
        facts["spill"] = overflow.directory
    if delivery.finished:
        journal.warning(
            "sidecar.left_on_disk",
            **facts,
            message=f"not delivered, and safe in {overflow.directory}: the sidecar of the "
            "next Pod that mounts this volume delivers it",
        )
        return
    if lasts:
        journal.warning(
            "sidecar.left_to_the_next_pod",
            **facts,
            message=f"not delivered within {drain:g} s, and safe in its files on the volume, as "
            "is the place that was reached: the next Pod that mounts it goes on there",
        )
        return
    message = f"not delivered within {drain:g} s"
    if not overflow.empty and not overflow.durable:
        message += f"; what is in {overflow.directory} ends with the Pod: name a volume"
    else:
        message += (
            "; it is in the files of the source, and lost where those end with the Pod: "
            "a spill on a claim would keep it"
        )
    journal.error("sidecar.undelivered", **facts, message=message)


def tell_what_is_unread(deliveries: Sequence[Delivery], journal: Journal) -> bool:
    """Say which files could not be read; whether there are any."""
    paths = {path: None for each in deliveries for path in each.source.unread_files()}
    if paths:
        journal.error(
            "sidecar.unread",
            paths=list(paths)[:TOLD_PATHS],
            files=len(paths),
            message="could not be read: what is in these files isn't delivered",
        )
    return bool(paths)


def tell_of_nothing(deliveries: Sequence[Delivery], journal: Journal) -> None:
    """Say where no file has come: a wrong path is as quiet as an application is."""
    labels = [each.label for each in deliveries if each.source.found_nothing]
    for label in dict.fromkeys(labels):
        message = "no regular file is there under this name; `listen` reads pipes and sockets"
        journal.info("log.nothing_found", source=label, message=message)
