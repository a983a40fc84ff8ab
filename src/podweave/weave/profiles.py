"""Which profile an ambassador starts with."""

from __future__ import annotations

from podweave.manifests.bundle import FoundPattern
from podweave.model.ambassador_patterns import AmbassadorSpec
from podweave.weave.drafts import pattern_error
from podweave.weave.options import Options
from podweave.weave.targets import Target

PROFILE_LABEL = "podweave.dev/profile"


def choose_profile(
    pattern: FoundPattern, spec: AmbassadorSpec, target: Target, options: Options
) -> tuple[str, str]:
    """The profile and who chose it: the caller, the Pod's label, the pattern, or nobody else."""
    known = list(spec.profiles)
    name = pattern.pattern.metadata.name
    says = f"Ambassador {name} has no profile {{!r}}: it has {', '.join(known)}"
    labels = (target.pod.metadata.labels if target.pod.metadata else None) or {}
    if options.profile is not None:
        if options.profile not in known:
            raise pattern_error(pattern, says.format(options.profile), "spec", "profiles")
        return options.profile, "asked for by the caller"
    if (label := labels.get(PROFILE_LABEL)) is not None:
        if label not in known:
            raise target.error(says.format(label), "metadata", "labels", PROFILE_LABEL)
        return label, f"the Pod's label {PROFILE_LABEL}"
    if spec.profile is not None:
        if spec.profile not in known:
            raise pattern_error(pattern, says.format(spec.profile), "spec", "profile")
        return spec.profile, "the pattern's default"
    if len(known) == 1:
        return known[0], "its only profile"
    raise pattern_error(
        pattern,
        f"Ambassador {name} doesn't say which of its profiles to start with ({', '.join(known)}):"
        f" set spec.profile, the Pod's label {PROFILE_LABEL}, or --profile",
        "spec",
        "profiles",
    )
