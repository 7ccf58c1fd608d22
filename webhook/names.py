"""The names that users and other programs know this webhook by."""

DOMAIN = "migratability.io"
CONFIGURATION = "migratability"
"""Name of both webhook configurations: it sorts before KubeVirt's ``virt-api-mutator``, so we see the user's object."""

EXEMPT = f"exempt.{DOMAIN}/"
"""Label EXEMPT + RULE on a VM or its namespace waives the rule, EXEMPT + "all" every rule."""
ENFORCEMENT = f"{DOMAIN}/enforcement"
"""Label on a namespace that caps what every rule does there."""
REASON = f"{DOMAIN}/exempt-reason"
"""Annotation beside an exemption that says why."""
UNVERIFIED = f"{DOMAIN}/unverified"
"""Annotation on a VM and its templates that names what could not be evaluated yet; only the webhook writes it."""
VERB = "exempt"
"""The verb that a user needs to change these, on virtualmachines.kubevirt.io or, for a namespace, on namespaces."""


def is_ours(label: str) -> bool:
    """Say whether a label decides what is exempt or enforced."""
    return label == ENFORCEMENT or label.startswith(EXEMPT)


def names_in_annotation(value: object) -> frozenset[str]:
    """Return the names that the value of the annotation UNVERIFIED holds; none where it is absent."""
    found = value.split(",") if isinstance(value, str) else []
    return frozenset(name.strip() for name in found if name.strip())
