"""What a release finds in the cluster: its namespace and Service, and the rights of its account."""

from tests.build import Object
from webhook.cluster.resources import RESOURCES, UNVERIFIED_VMS

NAMESPACE, NAME = "migratability", "migratability-webhook"
OWNER, SECRET = f"{NAME}-registrations", f"{NAME}-ca"
CLUSTER_IP = "127.96.0.51"
RBAC, CONFIGURATIONS = "rbac.authorization.k8s.io", "admissionregistration.k8s.io"


def owner_role() -> Object:
    """Return the ClusterRole that owns the webhook configurations."""
    return {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": OWNER}, "rules": []}


def foundation(port: int) -> list[Object]:
    """Return namespace, Service and permissions of a release."""
    service = {"clusterIP": CLUSTER_IP, "ports": [{"port": port}]}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME, "namespace": NAMESPACE}, "spec": service},
        owner_role(),
        *permission("ClusterRole", {}, CLUSTER_RULES, NAME),
        *permission("Role", {"namespace": NAMESPACE}, _own_objects(), NAME),
    ]


def _reading() -> list[Object]:
    """What verdicts rest on."""
    known = [
        _rule(resource.group, resource.plural, ["get", "list", "watch"] if resource.watched else ["get"])
        for resource in RESOURCES
    ]
    return [*known, _rule("authorization.k8s.io", "subjectaccessreviews", ["create"])]


def _managing() -> list[Object]:
    """What the leader needs, each for the names it is about."""
    verbs, watch = ["get", "create", "patch", "update", "delete"], ["list", "watch"]
    name, probe = "migratability", "migratability-probe"
    return [
        _rule("", "events", ["create"]),
        *(_rule("kubevirt.io", resource.plural, ["patch"]) for resource in UNVERIFIED_VMS),
        _rule(RBAC, "clusterroles", ["get"], OWNER),
        _rule(CONFIGURATIONS, "validatingwebhookconfigurations", verbs + watch, name),
        _rule(CONFIGURATIONS, "mutatingwebhookconfigurations", verbs + watch, name),
        _rule(CONFIGURATIONS, "validatingwebhookconfigurations", verbs, probe),
    ]


def _own_objects() -> list[Object]:
    """The Secret and the Lease. A creation cannot be bound to a name; who writes an owner must be allowed to delete."""
    return [
        _rule("", "secrets", ["create"]),
        _rule("", "secrets", ["get", "list", "watch", "update", "delete"], SECRET),
        _rule("coordination.k8s.io", "leases", ["create"]),
        _rule("coordination.k8s.io", "leases", ["get", "update", "delete"], NAME),
        _rule("", "pods", ["list"]),
    ]


def _rule(group: str, resource: str, verbs: list[str], *names: str) -> Object:
    named = {"resourceNames": list(names)} if names else {}
    return {"apiGroups": [group], "resources": [resource], "verbs": verbs, **named}


def of_cleanup() -> list[Object]:
    """Return the permissions of the account that cleans up after a release."""
    verbs, names = ["get", "delete"], ["migratability", "migratability-probe"]
    wide = [
        _rule(RBAC, "clusterroles", verbs, OWNER),
        _rule(CONFIGURATIONS, "validatingwebhookconfigurations", verbs, *names),
        _rule(CONFIGURATIONS, "mutatingwebhookconfigurations", verbs, names[0]),
    ]
    own = [_rule("", "secrets", verbs, SECRET), _rule("coordination.k8s.io", "leases", verbs, NAME)]
    user = "cleanup"
    return [
        *permission("ClusterRole", {}, wide, user),
        *permission("Role", {"namespace": NAMESPACE}, own, user),
    ]


def permission(kind: str, place: Object, rules: list[Object], *users: str) -> list[Object]:
    """Return a role, named after the first of some users, and its binding to them."""
    api, metadata = f"{RBAC}/v1", {"name": users[0], **place}
    subjects = [{"kind": "User", "name": user, "apiGroup": RBAC} for user in users]
    role = {"apiGroup": RBAC, "kind": kind, "name": users[0]}
    return [
        {"apiVersion": api, "kind": kind, "metadata": metadata, "rules": rules},
        {"apiVersion": api, "kind": f"{kind}Binding", "metadata": metadata, "roleRef": role, "subjects": subjects},
    ]


CLUSTER_RULES = [*_reading(), *_managing()]
"""What a replica may do in the whole cluster."""
