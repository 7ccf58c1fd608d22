"""Random VMs: the rules find exactly what a second implementation of KubeVirt's reasons finds."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tests.build import RWO, RWX, Object, data_volume_disk, disk, host_disk
from tests.kubevirt_reasons import ALLOW_BRIDGE, Instance, reasons_of
from tests.test_kubevirt_oracle import compared
from tests.test_properties import thorough

NETWORKS = ("default", "other")
PLUGINS: Object = {"binding": {"moves": {"migration": {}}, "stays": {}}}
DEFAULTS: list[Object] = [{}, *({"defaultNetworkInterface": binding} for binding in ("bridge", "masquerade"))]


def some(*values: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(values)


def record(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    """Return objects with some of the fields; one that is None is left out."""
    return st.fixed_dictionaries({}, optional=fields).map(
        lambda found: {key: value for key, value in found.items() if value is not None}
    )


switch = some(None, {}, {"enabled": True}, {"enabled": False})
bindings = some(
    *({binding: {}} for binding in ("masquerade", "bridge", "sriov", "passtBinding")),
    *({"binding": {"name": plugin}} for plugin in ("moves", "stays", "unknown")),
    {},
)
interfaces = st.builds(lambda name, binding: {"name": name, **binding}, some(*NETWORKS), bindings)
networks = st.builds(
    lambda name, source: {"name": name, **source}, some(*NETWORKS), some({"pod": {}}, {"multus": {"networkName": "n"}})
)
gpus = some({"name": "g", "deviceName": "v/gpu"}, {"name": "g", "deviceName": "v/other"})
luns = st.builds(lambda **lun: {"name": "a", "lun": lun}, reservation=st.booleans())
devices = record(
    interfaces=st.lists(interfaces, max_size=2, unique_by=lambda found: str(found["name"])),
    autoattachPodInterface=some(None, True, False),
    gpus=st.lists(gpus, max_size=2),
    hostDevices=some(None, [], [{"name": "h", "deviceName": "v/card"}]),
    disks=st.lists(luns | some({"name": "a", "disk": {}}, {"name": "a", "cdrom": {}}), max_size=2),
)
cpu_features = st.fixed_dictionaries({"name": some("invtsc", "pcid"), "policy": some("require", "force", "optional")})
domains = record(
    devices=devices,
    launchSecurity=some(None, {}, {"sev": {}}, {"snp": {}}, {"tdx": {}}, {"sev": {"attestation": {}}}),
    features=record(hyperv=record(reenlightenment=switch, vapic=switch), hypervPassthrough=switch),
    cpu=record(model=some("host-model", "Skylake"), features=st.lists(cpu_features, max_size=2)),
)
sources = some(
    *(volume(name) for volume in (disk, data_volume_disk) for name in "abc"),
    *(host_disk("h", shared=shared) for shared in (True, False)),
    *({"containerDisk": {"image": "x"}}, {"emptyDisk": {"capacity": "1Gi"}}, {"cloudInitNoCloud": {"userData": "x"}}),
)
volumes = st.lists(sources, max_size=4).map(
    lambda found: [{**source, "name": f"v{index}"} for index, source in enumerate(found)]
)
specs = st.builds(
    lambda **fields: {key: value for key, value in fields.items() if value is not None},
    domain=domains,
    architecture=some(None, "amd64", "arm64", "s390x"),
    networks=st.none() | st.lists(networks, max_size=2, unique_by=lambda found: str(found["name"])),
    volumes=volumes,
)
modes = st.lists(some(RWO, RWX, "ReadOnlyMany"), max_size=2, unique=True)
configs = record(
    network=some(*({**PLUGINS, **found} for found in DEFAULTS)),
    permittedHostDevices=some({"mediatedDevices": [{"mdevNameSelector": "T4", "resourceName": "v/gpu"}]}),
    developerConfiguration=some({"featureGates": ["VGPULiveMigration"]}, {"featureGates": []}),
)


@st.composite
def instances(draw: st.DrawFn) -> Instance:
    spec = draw(specs)
    named = [volume["name"] for volume in spec["volumes"]]
    return Instance(
        spec,
        draw(some((1, 5), (1, 6), (1, 7), (1, 8), (1, 9))),
        draw(some({}, {ALLOW_BRIDGE: ""})),
        {name: draw(modes) for name in ("a", "b", "c")},
        draw(configs),
        draw(some(0, 2_000_000_000)),
        frozenset(draw(st.lists(st.sampled_from(named), max_size=1)) if named else []),
    )


@thorough
@given(instance=instances())
def test_the_reasons_of_any_vmi_are_kubevirts(instance: Instance) -> None:
    reported = (reasons_of(instance) or [""])[0]
    shapes = ("instance",) if instance.moving else ("instance", "template")
    assert compared(instance, reported, shapes) == []
