"""Which instancetype or preference the labels of a volume name.

Source: KubeVirt 1.9 ``pkg/instancetype/infer/volume.go``.
"""

from __future__ import annotations

from webhook.cluster import Cluster
from webhook.cluster.facts import SourceFacts
from webhook.cluster.resources import CLAIMS, DATA_SOURCES, DATA_VOLUMES, SNAPSHOTS
from webhook.objects import Object, at, items, text

Inferred = tuple[str, str]


def infer(field: str, volume: str, obj: Object, namespace: str, cluster: Cluster) -> Inferred | None:
    """Return the name and kind ("" for the cluster-wide kind) that a volume's labels give; None where they do not.

    ``field`` is "instancetype" or "preference". Raises Undecidable where the cluster cannot say.
    """
    search = _Search(f"default-{field}", namespace, cluster)
    volumes = items(at(obj, "spec", "template", "spec", "volumes"))
    found = next((entry for entry in volumes if at(entry, "name") == volume), None)
    if claim := text(at(found, "persistentVolumeClaim", "claimName")):
        return search.of_claim(claim, namespace)
    data_volume = text(at(found, "dataVolume", "name"))
    return search.of_data_volume(data_volume, obj) if data_volume else None


class _Search:
    def __init__(self, label: str, namespace: str, cluster: Cluster) -> None:
        self._label = label
        self._namespace = namespace
        self._cluster = cluster

    def of_claim(self, name: str, namespace: str) -> Inferred | None:
        found = self._cluster.get(CLAIMS, name, namespace)
        return self._of_labels(found.labels if found else None)

    def of_data_volume(self, name: str, obj: Object) -> Inferred | None:
        for template in items(at(obj, "spec", "dataVolumeTemplates")):
            if at(template, "metadata", "name") == name:
                return self._of_spec(at(template, "spec"))
        found = self._cluster.get(DATA_VOLUMES, name, self._namespace)
        if found is None:
            return self.of_claim(name, self._namespace)
        return self._of_labels(found.labels) or self._of_spec(found.spec)

    def _of_spec(self, spec: object) -> Inferred | None:
        for kind in ("pvc", "snapshot"):
            if name := text(at(spec, "source", kind, "name")):
                namespace = text(at(spec, "source", kind, "namespace")) or self._namespace
                return self._of_source(SourceFacts(kind, name, namespace))
        name = text(at(spec, "sourceRef", "name"))
        if name and at(spec, "sourceRef", "kind") == "DataSource":
            return self._of_data_source(name, text(at(spec, "sourceRef", "namespace")) or self._namespace)
        return None

    def _of_data_source(self, name: str, namespace: str) -> Inferred | None:
        found = self._cluster.get(DATA_SOURCES, name, namespace)
        named = self._of_labels(found.labels if found else None)
        return named or (self._of_source(found.source) if found and found.source else None)

    def _of_source(self, source: SourceFacts) -> Inferred | None:
        namespace = source.namespace or self._namespace
        if source.kind == "pvc":
            return self.of_claim(source.name, namespace)
        snapshot = self._cluster.get(SNAPSHOTS, source.name, namespace) if source.kind == "snapshot" else None
        return self._of_labels(snapshot.labels if snapshot else None)

    def _of_labels(self, labels: dict[str, str] | None) -> Inferred | None:
        name = (labels or {}).get(self._label)
        return (name, (labels or {}).get(f"{self._label}-kind", "")) if name else None
