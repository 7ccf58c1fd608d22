"""Kubernetes objects that run the webhook, for the tests of the local cluster's nodes."""

import json
from typing import Any

from tests.build import Object
from tests.eventually import DEADLINE
from tests.localcluster import LocalCluster

IMAGE = "registry.example/migratability-webhook:1"
PORT = 8443
SNAPSHOT = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "snapshot"},
    "data": {"cluster.yaml": '{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "vms"}}'},
}
"""What `serve --cluster` is given, so that it needs no rights."""


def container(*arguments: str, **spec: Any) -> Object:
    """Return a container that runs the command line with some arguments."""
    return {"name": "webhook", "image": IMAGE, "args": list(arguments), **spec}


def server(*arguments: str, **spec: Any) -> Object:
    """Return a container that serves what `SNAPSHOT` holds, on the pod's own address."""
    serve = ("serve", "--cluster=/etc/snapshot", "--address=$(POD_IP)", f"--port={PORT}")
    defaults = {
        "env": [{"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}],
        "ports": [{"name": "https", "containerPort": PORT}],
        "readinessProbe": probe("/readyz"),
        "volumeMounts": [{"name": "snapshot", "mountPath": "/etc/snapshot"}],
    }
    return container(*serve, *arguments, **(defaults | spec))


def probe(path: str, **spec: Any) -> Object:
    """Return a probe of the server, once a second."""
    return {"httpGet": {"path": path, "port": "https", "scheme": "HTTPS"}, "periodSeconds": 1, **spec}


def volume(name: str) -> Object:
    """Return a volume with a ConfigMap of the same name."""
    return {"name": name, "configMap": {"name": name}}


def pod_spec(*containers: Object, **spec: Any) -> Object:
    """Return the spec of a pod that has the snapshot, and no access to the API by default."""
    defaults = {"volumes": [volume("snapshot")], "automountServiceAccountToken": False}
    return {"containers": list(containers), **(defaults | spec)}


def pod(name: str, *containers: Object, labels: Object | None = None, **spec: Any) -> Object:
    """Return a pod."""
    metadata = {"name": name, "labels": labels or {}}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": pod_spec(*containers, **spec)}


def deployment(name: str, spec: Object, replicas: int = 2) -> Object:
    """Return a Deployment of pods with the label `app: NAME` that never has fewer ready pods than replicas."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }


def job(name: str, *containers: Object, policy: str = "Never", **spec: Any) -> Object:
    """Return a Job that tries once."""
    template = {"spec": pod_spec(*containers, restartPolicy=policy, volumes=[])}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": name},
        "spec": {"backoffLimit": 0, "template": template, **spec},
    }


def service(name: str, port: int = PORT, target: int | str = "https") -> Object:
    """Return a Service of the pods with the label `app: NAME`."""
    ports = [{"port": port, "targetPort": target}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name},
        "spec": {"selector": {"app": name}, "ports": ports},
    }


def apply(cluster: LocalCluster, *objects: Object) -> None:
    """Apply objects."""
    items = {"apiVersion": "v1", "kind": "List", "items": list(objects)}
    cluster.kubectl("apply", "-f", "-", stdin=json.dumps(items))


def shown(cluster: LocalCluster, what: str, path: str) -> str:
    """Return a field of an object, such as `pod/x` and `.status.phase`."""
    return cluster.kubectl("get", what, "-o", f"jsonpath={{{path}}}").stdout


def wait_for(cluster: LocalCluster, condition: str, *what: str) -> None:
    """Wait for a condition as kubectl writes it."""
    cluster.kubectl("wait", f"--for={condition}", *what, f"--timeout={DEADLINE:g}s")
