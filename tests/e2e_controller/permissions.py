"""The names of a release, and roles for users."""

from tests.build import Object
from tests.chart import helm

NAME, NAMESPACE = helm.RELEASE, helm.NAMESPACE
OWNER, SECRET = f"{NAME}-webhook-configurations", f"{NAME}-ca"
RBAC, CONFIGURATIONS = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"


def _user(name: str) -> Object:
    return {"kind": "User", "name": name, "apiGroup": RBAC}


def permission(kind: str, place: Object, rules: list[Object], *users: str) -> list[Object]:
    """Return a role, named after the first of some users, and its binding to them."""
    api, metadata = f"{RBAC}/v1", {"name": users[0], **place}
    role = {"apiGroup": RBAC, "kind": kind, "name": users[0]}
    binding = {"metadata": metadata, "roleRef": role, "subjects": [*map(_user, users)]}
    return [
        {"apiVersion": api, "kind": kind, "metadata": metadata, "rules": rules},
        {"apiVersion": api, "kind": f"{kind}Binding", **binding},
    ]
