"""What a release finds in the cluster: its namespace and Service, and the roles that the chart gives its accounts."""

from tests.build import Object
from tests.chart import helm

NAME, NAMESPACE = helm.RELEASE, helm.NAMESPACE
OWNER, SECRET = f"{NAME}-webhook-configurations", f"{NAME}-ca"
CLUSTER_IP = "127.96.0.51"
RBAC, CONFIGURATIONS = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"
_ROLES = ("ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding")


def foundation(port: int) -> list[Object]:
    """Return namespace, Service and permissions of a release; users have the names of its service accounts."""
    service = {"clusterIP": CLUSTER_IP, "ports": [{"port": port}]}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": service},
        *map(_for_users, roles()),
    ]


def roles() -> list[Object]:
    """Return the chart's roles and their bindings, without those of `helm test`."""
    return [obj for obj in helm.render().objects if obj["kind"] in _ROLES and "-test" not in obj["metadata"]["name"]]


def _for_users(obj: Object) -> Object:
    if "subjects" not in obj:
        return obj
    return {**obj, "subjects": [_user(account["name"]) for account in obj["subjects"]]}


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
