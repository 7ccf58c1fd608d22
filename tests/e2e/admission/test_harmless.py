"""With all our processes gone, an update passes that can make no machine worse, and no other that touches its disks."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.build import Object, disk, volume_request
from tests.build_paths import CONTROLLER, REASON
from tests.e2e.admission.conftest import CAROL, Site, pool, replica_set, vm, vmi

OUT_OF_REACH = "failed calling webhook"
DISKS = [{"name": name, "disk": {"bus": "virtio"}} for name in ("root", "data", "logs")]
FILESYSTEM = {"name": "share", "virtiofs": {}}
INTERFACES = [{"name": "default", "masquerade": {}}]
DEVICES = {"disks": DISKS, "filesystems": [FILESYSTEM], "interfaces": INTERFACES}
CPU = {"cores": 1, "features": [{"name": "x2apic", "policy": "require"}]}
MOST = range(256)
MANY = [disk("good", f"volume-{number}") for number in MOST]
MANY_BACK = [disk(f"source-{number}", f"volume-{number}") for number in MOST]
MANY_DISKS = [{"name": f"volume-{number}", "disk": {"bus": "virtio"}} for number in MOST]


def templates(*names: str) -> list[Object]:
    """Return dataVolumeTemplates."""
    spec = {"source": {"blank": {}}, "storage": {"storageClassName": "nas"}}
    return [{"metadata": {"name": name}, "spec": spec} for name in names]


TEMPLATES = templates("first", "second", "third")
MANY_TEMPLATES = templates(*(f"template-{number}" for number in MOST))
ROOT, DATA, LOGS = {"name": "root", "dataVolume": {"name": "first"}}, disk("good", "data"), disk("good", "logs")
MOVES = [{"volumeName": "logs", "sourcePVCInfo": {"claimName": "once"}, "destinationPVCInfo": {"claimName": "good"}}]
MANY_MOVES = [
    {**MOVES[0], "volumeName": f"volume-{number}", "sourcePVCInfo": {"claimName": f"source-{number}"}}
    for number in reversed(MOST)
]
SCRATCH = {"name": "scratch", "ephemeral": {"persistentVolumeClaim": {"claimName": "third"}}}
EMPTY = {"emptyDisk": {"capacity": "1Gi"}}
REMOVAL = {"removeVolumeOptions": {"name": "data"}}


def instance(*volumes: Object, **patch: Any) -> Object:
    """Return a patch of an instance's spec that brings volumes, or all three that it has."""
    return {"volumes": list(volumes or (ROOT, DATA, LOGS)), **patch}


def domain(**patch: Any) -> Object:
    """Return a patch of an instance's spec, of its domain alone."""
    return {"domain": patch}


WHOLE = instance(ROOT, DATA, LOGS, SCRATCH, domain={"cpu": CPU, "devices": DEVICES, "memory": {"guest": "1Gi"}})
HARMLESS: list[tuple[str, Object]] = [
    ("more memory", domain(memory={"guest": "2Gi"}, resources={"requests": {"memory": "2Gi"}})),
    ("more CPUs", domain(cpu={"sockets": 2, "cores": 2, "threads": 2})),
    ("a volume less", instance(ROOT, LOGS)),
    ("a volume and its disk less", instance(ROOT, LOGS, **domain(devices={"disks": [DISKS[0], DISKS[2]]}))),
    ("a file system less", domain(devices={"filesystems": []})),
    ("volumes in another order", instance(LOGS, DATA, ROOT)),
    ("memory and a volume less", instance(ROOT, DATA, **domain(memory={"guest": "512Mi"}))),
]
HARMFUL: list[tuple[str, Object]] = [
    ("a volume more", instance(ROOT, DATA, LOGS, disk("good", "more"))),
    ("a volume for another", instance(ROOT, disk("good", "more"), LOGS)),
    ("another claim", instance(ROOT, disk("once", "data"), LOGS)),
    ("a claim from which another volume migrates", instance(ROOT, disk("once", "data"), LOGS, disk("good", "more"))),
    ("another disk", domain(devices={"disks": [*DISKS[:2], {"name": "logs", "lun": {"reservation": True}}]})),
    ("a disk more", domain(devices={"disks": [*DISKS, {"name": "more", "disk": {}}]})),
    ("a file system more", domain(devices={"filesystems": [FILESYSTEM, {"name": "more", "virtiofs": {}}]})),
    ("another CPU feature", domain(cpu={"features": [{"name": "invtsc", "policy": "require"}]})),
    ("a CPU model", domain(cpu={"model": "host-passthrough"})),
    ("a host device", domain(devices={"hostDevices": [{"name": "a", "deviceName": "vendor.example/card"}]})),
    ("another interface", domain(devices={"interfaces": [{"name": "default", "bridge": {}}]})),
    ("launch security", domain(launchSecurity={"sev": {}})),
    ("another strategy", {"evictionStrategy": "None"}),
    ("a node", {"nodeSelector": {"kubernetes.io/hostname": "n1"}}),
    ("memory and another claim", instance(ROOT, disk("once", "data"), LOGS, **domain(memory={"guest": "2Gi"}))),
    ("a volume less and one more", instance(ROOT, LOGS, disk("good", "more"))),
]
BACK: list[tuple[str, Object, bool]] = [
    ("a volume back to the claim that it migrates from", instance(ROOT, DATA, disk("once", "logs")), True),
    ("the same as a DataVolume", instance(ROOT, DATA, {"name": "logs", "dataVolume": {"name": "once"}}), True),
    ("it and a volume less", instance(ROOT, disk("once", "logs")), True),
    ("another volume to that claim", instance(ROOT, disk("once", "data"), LOGS), False),
    ("back, and a source beside the claim", instance(ROOT, DATA, {**disk("once", "logs"), **EMPTY}), False),
]
OF_MACHINE: list[tuple[str, Object, bool]] = [
    (
        "a DataVolume less that no volume names",
        {"spec": {"dataVolumeTemplates": templates("first", "third")}},
        True,
    ),
    (
        "a volume and its DataVolume less",
        {"spec": {"dataVolumeTemplates": TEMPLATES[1:], "template": {"spec": instance(DATA, LOGS)}}},
        True,
    ),
    ("a DataVolume less that a volume names", {"spec": {"dataVolumeTemplates": TEMPLATES[1:]}}, False),
    ("one less whose claim a volume is made of", {"spec": {"dataVolumeTemplates": TEMPLATES[:2]}}, False),
    (
        "another DataVolume",
        {"spec": {"dataVolumeTemplates": [*TEMPLATES, {**TEMPLATES[0], "metadata": {"name": "fourth"}}]}},
        False,
    ),
    ("an instancetype", {"spec": {"instancetype": {"name": "large"}}}, False),
    ("a preference", {"spec": {"preference": {"name": "linux"}}}, False),
    ("a volume migration", {"spec": {"updateVolumesStrategy": "Migration"}}, False),
    ("a template's label", {"spec": {"template": {"metadata": {"labels": {"x": "y"}}}}}, False),
    ("our mark", {"metadata": {"annotations": {"migratability.io/unverified": "claim/x"}}}, False),
    (
        "memory and our label",
        {
            "metadata": {"labels": {"exempt.migratability.io/all": "true"}, "annotations": REASON},
            "spec": {"template": {"spec": HARMLESS[0][1]}},
        },
        False,
    ),
]
ADDITION = {"addVolumeOptions": {**volume_request(disk("good"))["addVolumeOptions"], "disk": {"name": "good"}}}
REQUESTS: list[tuple[str, list[Object], bool]] = [
    ("a removal", [REMOVAL], True),
    ("an addition", [ADDITION], False),
    ("a removal that also adds", [{**REMOVAL, **ADDITION}], False),
]

ODD: list[tuple[Object, Object]] = [
    ({"volumes": None}, {}),
    ({"volumes": [None, {}, {"name": "x"}, {"name": "y", "persistentVolumeClaim": None}]}, {}),
    ({"domain": None}, {}),
    ({"domain": {"devices": None, "cpu": None}}, {}),
    ({}, {"volumeUpdateState": {"volumeMigrationState": {"migratedVolumes": [None, {}]}}}),
]
"""What no KubeVirt stores, as a template of a machine and as its status; its definitions allow for some of it."""


@dataclass(frozen=True)
class Outage:
    """The cluster without our process; nothing is ever stored in it."""

    site: Site
    machine: Object
    instance: Object
    replica_set: Object
    pool: Object
    many: Object
    inferring: Object
    inferring_pool: Object
    requesting: Object
    odd: list[Object]

    def passes(self, obj: Object, patch: Object, *options: str, user: str = CAROL) -> bool:
        """Say whether a patch passes; what is refused is so because nobody can be asked."""
        done, output = self.site.patch(obj, patch, "--dry-run=server", *options, user=user)
        assert done or OUT_OF_REACH in output, output
        return done


@pytest.fixture(scope="module")
def outage(site: Site) -> Iterator[Outage]:
    inferred = {"preference": {"inferFromVolume": "root", "inferFromVolumeFailurePolicy": "Ignore"}}
    many = instance(*MANY, domain={"devices": {"disks": MANY_DISKS}})
    found = Outage(
        site,
        machine=_machine(site, WHOLE, dataVolumeTemplates=TEMPLATES),
        instance=site.have({**vmi(), "spec": _spec(WHOLE)}),
        replica_set=site.have(_with(replica_set(), "template", "spec", value=_spec(WHOLE))),
        pool=_pool(site, template={"spec": _spec(WHOLE)}),
        many=_machine(site, many, dataVolumeTemplates=MANY_TEMPLATES),
        inferring=_machine(site, instance(), **inferred),
        inferring_pool=_pool(site, template={"spec": _spec(instance())}, **inferred),
        requesting=_machine(site, instance(), dataVolumeTemplates=TEMPLATES),
        odd=[machine for row in ODD if (machine := _stored(site, *row))],
    )
    for machine, moves in ((found.machine, MOVES), (found.many, MANY_MOVES)):
        _write_status(site, machine, {"volumeUpdateState": {"volumeMigrationState": {"migratedVolumes": moves}}})
    _write_status(site, found.requesting, {"volumeRequests": [ADDITION]})
    assert site.patch(found.instance, {"status": {"migratedVolumes": MOVES}}, user=CONTROLLER)[0]
    site.installation.stop()
    yield found
    site.installation.start()


def _machine(site: Site, template: Object, **spec: Any) -> Object:
    return site.have(_with(vm(), value={**vm()["spec"], "template": {"spec": _spec(template)}, **spec}))


def _pool(site: Site, **spec: Any) -> Object:
    return site.have(_with(pool(), "virtualMachineTemplate", "spec", value={"runStrategy": "Halted", **spec}))


def _with(obj: Object, *path: str, value: Object) -> Object:
    """Return an object with a value at a path below its spec."""
    *above, last = ("spec", *path)
    at = obj
    for key in above:
        at = at[key]
    at[last] = value
    return obj


def _write_status(site: Site, obj: Object, status: Object) -> None:
    done, output = site.patch(obj, {"status": status}, "--subresource=status", user=CONTROLLER)
    assert done, output


def _spec(patch: Object) -> Object:
    whole = vmi()["spec"]
    return {**whole, **patch, "domain": {**whole["domain"], **patch.get("domain", {})}}


def _stored(site: Site, template: Object, status: Object) -> Object | None:
    """Return an odd machine, None where its definition does not allow for it."""
    machine = vm("good")
    machine["spec"]["dataVolumeTemplates"] = TEMPLATES
    machine["spec"]["template"]["spec"].update(template)
    made, output = site.create(machine)
    if made:
        made, output = site.patch(machine, {"status": status}, "--subresource=status", user=CONTROLLER)
    assert made or "is invalid" in output, output
    return machine if made else None


@pytest.mark.parametrize("patch", [row[1] for row in HARMLESS], ids=[row[0] for row in HARMLESS])
def test_this_passes_in_each_template(outage: Outage, patch: Object) -> None:
    template = {"spec": {"template": {"spec": patch}}}
    of_pool = {"spec": {"virtualMachineTemplate": template}}
    assert outage.passes(outage.machine, template)
    assert outage.passes(outage.replica_set, template)
    assert outage.passes(outage.pool, of_pool)


@pytest.mark.parametrize("patch", [row[1] for row in HARMFUL], ids=[row[0] for row in HARMFUL])
def test_this_is_refused_in_each_template(outage: Outage, patch: Object) -> None:
    template = {"spec": {"template": {"spec": patch}}}
    of_pool = {"spec": {"virtualMachineTemplate": template}}
    assert not outage.passes(outage.machine, template)
    assert not outage.passes(outage.replica_set, template)
    assert not outage.passes(outage.pool, of_pool)


OF_INSTANCE = [row for row in HARMFUL if "volumes" in row[1] or "devices" in row[1].get("domain", {})]


@pytest.mark.parametrize("patch", [row[1] for row in HARMLESS], ids=[row[0] for row in HARMLESS])
def test_this_passes_for_an_instance(outage: Outage, patch: Object) -> None:
    assert outage.passes(outage.instance, {"spec": patch})


@pytest.mark.parametrize("patch", [row[1] for row in OF_INSTANCE], ids=[row[0] for row in OF_INSTANCE])
def test_this_is_refused_for_an_instance(outage: Outage, patch: Object) -> None:
    assert not outage.passes(outage.instance, {"spec": patch})


@pytest.mark.parametrize(("patch", "expected"), [row[1:] for row in BACK], ids=[row[0] for row in BACK])
def test_of_volumes_that_migrate_only_those_go_back(outage: Outage, patch: Object, expected: bool) -> None:
    assert outage.passes(outage.machine, {"spec": {"template": {"spec": patch}}}) is expected
    assert outage.passes(outage.instance, {"spec": patch}) is expected
    assert not outage.passes(outage.replica_set, {"spec": {"template": {"spec": patch}}})


@pytest.mark.parametrize(("patch", "expected"), [row[1:] for row in OF_MACHINE], ids=[row[0] for row in OF_MACHINE])
def test_beside_its_template_a_machine_may_lose_what_nothing_names(
    outage: Outage, patch: Object, expected: bool
) -> None:
    assert outage.passes(outage.machine, patch) is expected


@pytest.mark.parametrize(("requests", "expected"), [row[1:] for row in REQUESTS], ids=[row[0] for row in REQUESTS])
def test_a_disk_is_asked_to_go_but_not_to_come(outage: Outage, requests: list[Object], expected: bool) -> None:
    patch = {"status": {"volumeRequests": requests}}
    assert outage.passes(outage.machine, patch, "--subresource=status", user=CONTROLLER) is expected


def test_what_follows_from_a_volume_keeps_it(outage: Outage) -> None:
    """An instancetype or preference that is inferred from it, or a pending request that its name hides."""
    fewer = {"template": {"spec": instance(DATA, LOGS)}}
    assert not outage.passes(outage.inferring, {"spec": fewer})
    assert not outage.passes(outage.inferring_pool, {"spec": {"virtualMachineTemplate": {"spec": fewer}}})
    assert not outage.passes(outage.requesting, {"spec": fewer})
    assert not outage.passes(outage.requesting, {"spec": {"dataVolumeTemplates": TEMPLATES[:1]}})
    memory = {"spec": {"template": {"spec": HARMLESS[0][1]}}}
    assert outage.passes(outage.inferring, memory)
    assert outage.passes(outage.requesting, memory)


def test_as_much_as_kubevirt_allows_for_is_compared_within_the_api_servers_bounds(outage: Outage) -> None:
    disks = domain(devices={"disks": list(reversed(MANY_DISKS))})
    template = {"template": {"spec": {"volumes": MANY_BACK, **disks}}, "dataVolumeTemplates": []}
    assert outage.passes(outage.many, {"spec": template})
    assert outage.passes(outage.many, {"spec": {"dataVolumeTemplates": []}})
    other = [*MANY_BACK[:-1], disk("once", "volume-255")]
    assert not outage.passes(outage.many, {"spec": {"template": {"spec": {"volumes": other}}}})


def test_more_than_that_is_not_compared(outage: Outage) -> None:
    requests = [{"removeVolumeOptions": {"name": f"volume-{number}"}} for number in range(1500)]
    patch = {"status": {"volumeRequests": requests}}
    assert not outage.passes(outage.machine, patch, "--subresource=status", user=CONTROLLER)


def test_of_odd_objects_no_condition_fails(outage: Outage) -> None:
    assert outage.odd
    for odd in outage.odd:
        outage.passes(odd, {"spec": {"template": {"spec": HARMLESS[0][1]}}})
        outage.passes(odd, {"spec": {"template": {"spec": instance(disk("once", "other"))}}})
        outage.passes(odd, {"spec": {"dataVolumeTemplates": TEMPLATES[:1]}})
