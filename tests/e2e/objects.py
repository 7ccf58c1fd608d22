"""VMs of every kind, as KubeVirt's definitions take them."""

from collections.abc import Iterable
from typing import Any

from tests.build import NAMESPACE, Object

POOL = "pool.kubevirt.io/v1beta1"


def instance_spec(
    volumes: Iterable[Object], binding: str = "masquerade", devices: Iterable[Object] = (), **fields: Any
) -> Object:
    """Return the spec of a VMI on the pod network."""
    attached = {"interfaces": [{"name": "default", binding: {}}], "hostDevices": list(devices)}
    domain = {"devices": attached, "resources": {"requests": {"memory": "1Gi"}}}
    return {"domain": domain, "networks": [{"name": "default", "pod": {}}], "volumes": list(volumes), **fields}


def declared(
    kind: str, spec: Object, name: str, api: str = "", vm: Object | None = None, replicas: int = 0, **metadata: Any
) -> Object:
    """Return an object of a kind with the spec of its VMIs; ``vm`` joins the spec of its VirtualMachines."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": spec}
    virtual = {"runStrategy": "Halted", "template": template, **(vm or {})}
    several: Object = {"replicas": replicas, "selector": {"matchLabels": labels}}
    body = {
        "VirtualMachine": virtual,
        "VirtualMachineInstance": spec,
        "VirtualMachineInstanceReplicaSet": {**several, "template": template},
        "VirtualMachinePool": {**several, "virtualMachineTemplate": {"metadata": {"labels": labels}, "spec": virtual}},
    }[kind]
    version = api or (POOL if kind == "VirtualMachinePool" else "kubevirt.io/v1")
    place = {"name": name, "namespace": NAMESPACE}
    return {"apiVersion": version, "kind": kind, "metadata": {**place, **metadata}, "spec": body}
