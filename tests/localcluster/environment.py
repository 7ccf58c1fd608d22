"""The environment of a container, as its pod describes it."""

import re
from collections.abc import Mapping

from tests.localcluster.api import Object
from tests.localcluster.images import Waiting
from tests.localcluster.sources import Sources

_REFERENCE = re.compile(r"\$\$|\$\(([^()]*)\)")
_KEYED = re.compile(r"metadata\.(labels|annotations)\['(.+)'\]")


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace `$(NAME)` where NAME is known; `$$` is one dollar sign."""

    def replacement(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else values.get(found[1], found[0])

    return _REFERENCE.sub(replacement, text)


def environment(container: Object, pod: Object, sources: Sources) -> dict[str, str]:
    """Return the variables that a container declares.

    Raises Waiting where a ConfigMap, a Secret or a key that is not optional is missing.
    """
    values: dict[str, str] = {}
    for origin in container.get("envFrom") or []:
        values.update(_whole(origin, pod, sources))
    for variable in container.get("env") or []:
        value = _value(variable, pod, sources, values)
        if value is not None:
            values[variable["name"]] = value
    return values


def pod_field(pod: Object, path: str) -> str:
    """Return what the downward API shows for a field; raises Waiting for a field it does not have."""
    metadata, spec, status = pod["metadata"], pod["spec"], pod.get("status") or {}
    plain = {
        "metadata.name": metadata["name"],
        "metadata.namespace": metadata["namespace"],
        "metadata.uid": metadata["uid"],
        "metadata.labels": _lines(metadata.get("labels")),
        "metadata.annotations": _lines(metadata.get("annotations")),
        "spec.nodeName": spec.get("nodeName", ""),
        "spec.serviceAccountName": spec.get("serviceAccountName", "default"),
        "status.podIP": status.get("podIP", ""),
        "status.podIPs": status.get("podIP", ""),
        "status.hostIP": status.get("hostIP", ""),
        "status.hostIPs": status.get("hostIP", ""),
    }
    if path in plain:
        return str(plain[path])
    keyed = _KEYED.fullmatch(path)
    if keyed is None:
        raise Waiting("CreateContainerConfigError", f"this kubelet does not know the field {path}")
    return str((metadata.get(keyed[1]) or {}).get(keyed[2], ""))


def _whole(origin: Object, pod: Object, sources: Sources) -> dict[str, str]:
    kind, reference = next((kind, origin[f"{kind}Ref"]) for kind in ("configMap", "secret") if f"{kind}Ref" in origin)
    data = sources.data(kind, pod, reference["name"])
    if data is None:
        if reference.get("optional"):
            return {}
        raise Waiting("CreateContainerConfigError", f'{kind.lower()} "{reference["name"]}" not found')
    return {origin.get("prefix", "") + key: content.decode() for key, content in data.items()}


def _value(variable: Object, pod: Object, sources: Sources, known: Mapping[str, str]) -> str | None:
    origin = variable.get("valueFrom")
    if not origin:
        return expand(variable.get("value", ""), known)
    if "fieldRef" in origin:
        return pod_field(pod, origin["fieldRef"]["fieldPath"])
    for kind in ("configMap", "secret"):
        reference = origin.get(f"{kind}KeyRef")
        if reference:
            return _key(kind, reference, pod, sources)
    raise Waiting("CreateContainerConfigError", f"{variable['name']}: this kubelet does not know {', '.join(origin)}")


def _key(kind: str, reference: Object, pod: Object, sources: Sources) -> str | None:
    data = sources.data(kind, pod, reference["name"])
    if data is not None and reference["key"] in data:
        return data[reference["key"]].decode()
    if reference.get("optional"):
        return None
    missing = f'{kind.lower()} "{reference["name"]}"'
    message = f"{missing} not found" if data is None else f"couldn't find key {reference['key']} in {missing}"
    raise Waiting("CreateContainerConfigError", message)


def _lines(pairs: Mapping[str, str] | None) -> str:
    return "\n".join(f'{key}="{value}"' for key, value in sorted((pairs or {}).items()))
