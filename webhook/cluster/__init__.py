"""The state of a cluster: one interface, two implementations.

`Cluster` answers two questions, `get` and `list`, about the kinds named in `resources`, in slim facts. `Snapshot`
answers from files, `webhook.cluster.live.LiveCluster` from the API server.
"""

from webhook.cluster.interface import Cluster, ClusterUnavailable, Undecidable
from webhook.cluster.snapshot import Snapshot

__all__ = ["Cluster", "ClusterUnavailable", "Snapshot", "Undecidable"]
