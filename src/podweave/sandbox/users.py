"""User namespaces' id maps, and changing to another user."""

from __future__ import annotations

import os
from collections.abc import Sequence

from podweave.sandbox import namespaces, pseudo_files
from podweave.sandbox.system_calls import SandboxError


def enter_user_namespace(user: int, group: int) -> None:
    """A new user namespace for this process, in which it is `user` and `group`.

    One id of each: all that the kernel grants without the setuid helpers newuidmap and newgidmap.
    Other ids show as 65534 there, and setgroups is off.
    """
    outside_user, outside_group = os.geteuid(), os.getegid()
    try:
        namespaces.separate(["user"])
    except SandboxError as error:
        raise SandboxError(
            "make a user namespace",
            "",
            error.errno or 0,
            "see sysctl user.max_user_namespaces, kernel.unprivileged_userns_clone and "
            "kernel.apparmor_restrict_unprivileged_userns",
        ) from error
    pseudo_files.write("/proc/self/setgroups", "deny")
    pseudo_files.write("/proc/self/gid_map", f"{group} {outside_group} 1")
    pseudo_files.write("/proc/self/uid_map", f"{user} {outside_user} 1")


def become(user: int, group: int, groups: Sequence[int]) -> None:
    """Change to this user for good; needs SETUID and SETGID."""
    try:
        os.setgroups(list(groups))
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)
    except OSError as error:
        raise SandboxError(f"become user {user}:{group}", "", error.errno or 0) from error
