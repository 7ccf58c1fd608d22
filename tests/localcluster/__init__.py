"""A real Kubernetes control plane on loopback for the tests and the demo.

```python
with LocalCluster(crds=crd_folders()) as cluster:
    cluster.kubectl("get", "virtualmachines", "--all-namespaces")
```
"""

from tests.localcluster.cluster import LocalCluster
from tests.localcluster.crds import crd_folders, shared_crds
from tests.localcluster.errors import BuildError, KubectlError, LocalClusterError, StartError

__all__ = [
    "BuildError",
    "KubectlError",
    "LocalCluster",
    "LocalClusterError",
    "StartError",
    "crd_folders",
    "shared_crds",
]
