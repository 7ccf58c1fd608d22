"""tsc-frequency: a Windows guest whose clock needs a frequency that no node offers."""

from __future__ import annotations

from collections.abc import Iterator

from webhook.policy.case import Case
from webhook.policy.rules.rule import Finding, Rule
from webhook.wording import plain


def find(case: Case) -> Iterator[Finding]:
    """Yield re-enlightenment where KubeVirt has no TSC frequency to give it.

    KubeVirt takes the frequency from its CR, else from the nodes, and sets it for amd64 guests only. Without one a
    guest with invtsc does not boot, so it is skipped. A CR that is not known might set a minimum.
    """
    hardware, context = case.vm.hardware, case.context
    if hardware.reenlightenment is None or hardware.invtsc:
        return
    field = hardware.reenlightenment.field
    if hardware.architecture != "amd64":
        yield _finding(field, f"{plain(hardware.architecture)} guests get no TSC frequency", fixable=False)
    elif context.kubevirt.minimum_tsc_frequency is not None:
        if context.kubevirt.minimum_tsc_frequency <= 0:
            yield _finding(field, "the KubeVirt CR's minimumClusterTSCFrequency is not above 0")
    elif any(node.tsc_frequency for node in context.nodes):
        return
    elif context.nodes:
        yield _finding(field, "no node offers a TSC frequency", certain=context.kubevirt.known)
    else:
        yield _finding(field, "no node is known that could offer a TSC frequency", certain=False)


def _finding(field: str, lack: str, *, certain: bool = True, fixable: bool = True) -> Finding:
    return Finding(
        field=field,
        what=f"Hyper-V re-enlightenment is on, but {lack}",
        why="the guest's timers would be wrong on another node, so KubeVirt does not live-migrate this VM",
        remedy="Set domain.features.hyperv.reenlightenment.enabled to false"
        + (", or let the nodes offer an invariant TSC" if fixable else ""),
        certain=certain,
    )


RULE = Rule(
    name="tsc-frequency",
    reason="NoTSCFrequencyNotLiveMigratable",
    denies="re-enlightenment where no node offers a TSC frequency",
    default="deny",
    source="KubeVirt 1.9 pkg/virt-controller/watch/topology/tsc.go and hinter.go",
    find=find,
    reads=("architecture", "domain.cpu.features", "domain.features.hyperv"),
)
