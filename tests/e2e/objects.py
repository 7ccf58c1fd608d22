"""VMs of every kind, as KubeVirt's definitions take them."""

from typing import Any

from tests.build import Object

POOL = "pool.kubevirt.io/v1beta1"


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
    return {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": name, "namespace": "vms", **metadata},
        "spec": body,
    }
