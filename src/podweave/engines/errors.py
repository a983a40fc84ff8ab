"""What an engine says when it can't do what the manifest asks."""

from __future__ import annotations

from typing import Final


class EngineError(Exception):
    """A Pod or container can't be run as asked.

    `message` says what is wrong and what would be right. `reason` is the word the kubelet puts
    into a container's status for the same fault (CreateContainerConfigError, RunContainerError,
    …). `container` names the container at fault, None where the whole Pod is meant.
    """

    def __init__(
        self, message: str, *, reason: str = "CreatePodSandboxError", container: str | None = None
    ) -> None:
        super().__init__(message)
        self.message: Final = message
        self.reason: Final = reason
        self.container: Final = container
