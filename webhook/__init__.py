"""Could KubeVirt live-migrate this VM, and would a node drain migrate it?

>>> from webhook import evaluate
>>> evaluate({"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine"}, cluster=[]).allowed
True
"""

from webhook.engine import evaluate
from webhook.policy.verdict import Verdict, Violation
from webhook.settings import Settings, SettingsError

__all__ = ["Settings", "SettingsError", "Verdict", "Violation", "evaluate"]
