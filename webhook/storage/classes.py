"""The StorageClass of a PVC that names none."""

from __future__ import annotations

from collections.abc import Iterable

from webhook.cluster.facts import ClassFacts


def kubernetes_default(classes: Iterable[ClassFacts]) -> ClassFacts | None:
    """Return the cluster's default class, or None.

    Of several the newest, then the first by name: Kubernetes 1.36 ``pkg/volume/util/storageclass.go``.
    """
    return _newest(found for found in classes if found.is_default)


def virt_default(classes: Iterable[ClassFacts]) -> ClassFacts | None:
    """Return the default class for disks of VMs, or None.

    KubeVirt's annotation comes before Kubernetes': CDI 1.66 ``pkg/controller/common/util.go``.
    """
    known = list(classes)
    return _newest(found for found in known if found.is_virt_default) or kubernetes_default(known)


def _newest(classes: Iterable[ClassFacts]) -> ClassFacts | None:
    by_name = sorted(classes, key=lambda found: found.name)
    return max(by_name, key=lambda found: found.created, default=None)
