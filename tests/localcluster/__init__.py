"""A real Kubernetes control plane on loopback for the tests and the demo.

```python
with LocalCluster(crds=crd_folders()) as cluster:
    cluster.kubectl("get", "virtualmachines", "--all-namespaces")
```
"""

from tests.localcluster.cluster import LocalCluster
from tests.localcluster.crds import crd_folders, shared_crds
from tests.localcluster.errors import BuildError, KubectlError, LocalClusterError, StartError
from tests.localcluster.images import Image
from tests.localcluster.nodes import Nodes

__all__ = [
    "BuildError",
    "Image",
    "KubectlError",
    "LocalCluster",
    "LocalClusterError",
    "Nodes",
    "StartError",
    "crd_folders",
    "shared_crds",
]
