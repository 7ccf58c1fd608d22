"""Facts: of each object only what a verdict can depend on.

A live cluster keeps tens of thousands of these, so they are small, immutable and share their strings. The ``read`` of
each class makes it from an object as the API server sends it, and never raises.
"""

from webhook.cluster.facts.cdi import CloneSourceFacts, DataSourceFacts, DataVolumeFacts, ProfileFacts, PropertySet
from webhook.cluster.facts.kubernetes import (
    ClaimFacts,
    ClassFacts,
    NamespaceFacts,
    NodeFacts,
    PersistentVolumeFacts,
    SnapshotContentFacts,
    SnapshotFacts,
    SourceFacts,
)
from webhook.cluster.facts.kubevirt import (
    InstanceFacts,
    KubeVirtFacts,
    OwnerFacts,
    RevisionFacts,
    SpecFacts,
    UnverifiedFacts,
    VMSnapshotContentFacts,
    VMSnapshotFacts,
)
from webhook.cluster.facts.trident import BackendFacts, TridentVolumeFacts

__all__ = [
    "BackendFacts",
    "ClaimFacts",
    "ClassFacts",
    "CloneSourceFacts",
    "DataSourceFacts",
    "DataVolumeFacts",
    "InstanceFacts",
    "KubeVirtFacts",
    "NamespaceFacts",
    "NodeFacts",
    "OwnerFacts",
    "PersistentVolumeFacts",
    "ProfileFacts",
    "PropertySet",
    "RevisionFacts",
    "SnapshotContentFacts",
    "SnapshotFacts",
    "SourceFacts",
    "SpecFacts",
    "TridentVolumeFacts",
    "UnverifiedFacts",
    "VMSnapshotContentFacts",
    "VMSnapshotFacts",
]
