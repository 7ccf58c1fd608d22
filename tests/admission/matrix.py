"""What is due on every path by which a VM gets what is in it, to be read beside the design.

Each group of columns is one of the MOMENTS, the symbols in it stand for the VARIANTS in their order, and every symbol
for each of the FAULTS. A letter is an outcome (OUTCOMES), a digit says why the cell does not apply (WHY_NOT). Whatever
the letter, a good VM violates no rule; and a missing PVC denies nothing and draws a warning.
"""

from dataclasses import dataclass
from typing import Literal, NamedTuple

VARIANTS = (
    "no exemption",
    "exempt",
    "expired",
    "exempt without the right",
    "label in a snapshot",
    "label in a patch",
    "label in a template",
    "forged owner",
)
MOMENTS = ("creation", "update of a good one", "update of a bad one")

MATRIX = """
VirtualMachine by a user                           R E R N 1 1 R R   R E R N 1 1 R R   T E T n 1 1 T T
VirtualMachine by kubevirt-apiserver (addvolume)   2 2 2 2 2 2 2 2   R E R C 1 1 R R   T E T c 1 1 T T
volumeRequests in /status by kubevirt-apiserver    2 2 2 2 2 2 2 2   R E R 3 1 1 R R   T E T 3 1 1 T T
VMI by a user                                      R E R N 1 1 4 R   R E R N 1 1 4 R   T E T n 1 1 4 T
VMI for a VirtualMachine                           S S S S 1 1 S R   5 5 5 5 5 5 5 5   5 5 5 5 5 5 5 5
VMI for a ReplicaSet                               S S S S 1 1 S R   5 5 5 5 5 5 5 5   5 5 5 5 5 5 5 5
VMI by kubevirt-apiserver                          2 2 2 2 2 2 2 2   R E R R 1 1 4 R   T E T T 1 1 4 T
owned VMI by kubevirt-apiserver                    2 2 2 2 2 2 2 2   R E R R 1 1 R R   T E T T 1 1 T T
owned VMI by kubevirt-apiserver, as in its VM      2 2 2 2 2 2 2 2   T E T T 1 1 T R   T E T T 1 1 T T
owned VMI by kubevirt-controller                   2 2 2 2 2 2 2 2   R E R R 1 1 R R   T E T T 1 1 T T
owned VMI by kubevirt-controller, as in its VM     2 2 2 2 2 2 2 2   T E T T 1 1 T R   T E T T 1 1 T T
ReplicaSet by a user                               R E R N 1 1 R R   R E R N 1 1 R R   T E T n 1 1 T T
Pool by a user                                     R E R N 1 1 R R   R E R N 1 1 R R   T E T n 1 1 T T
VirtualMachine for a Pool                          R E R C 1 1 R R   R E R C 1 1 R R   T E T c 1 1 T T
VirtualMachine for a Pool, as in the Pool          T E T c 1 1 T R   T E T c 1 1 T R   T E T c 1 1 T T
Restore by a user, to a new name                   R E R N C C C R   6 6 6 6 6 6 6 6   6 6 6 6 6 6 6 6
Restore by a user, over the VM                     7 7 7 7 7 7 7 7   R E R N R K C R   T E T n T K c T
Clone by a user                                    R E R N C C C R   6 6 6 6 6 6 6 6   6 6 6 6 6 6 6 6
VirtualMachine that a Restore creates              R E R 8 C C C R   7 7 7 7 7 7 7 7   7 7 7 7 7 7 7 7
VirtualMachine that a Restore writes over          7 7 7 7 7 7 7 7   R E R 8 9 9 C R   T E T 8 9 9 c T
"""


class Outcome(NamedTuple):
    """What is due: what becomes of the fault, and why one of our labels denies the write, where it does."""

    fault: Literal["denied", "exempt", "preexisting", "unseen"]
    label: Literal["without the right", "not carried", "unknown patches", None] = None


OUTCOMES = {
    "R": Outcome("denied"),
    "E": Outcome("exempt"),
    "T": Outcome("preexisting"),
    "S": Outcome("unseen"),
    "N": Outcome("denied", "without the right"),
    "n": Outcome("preexisting", "without the right"),
    "C": Outcome("denied", "not carried"),
    "c": Outcome("preexisting", "not carried"),
    "K": Outcome("unseen", "unknown patches"),
}

WHY_NOT = {
    "1": "no snapshot and no patch takes part",
    "2": "a hot-plug is an update",
    "3": "a write of the status changes no label",
    "4": "a VM without an owner and a template has no label in one",
    "5": "what KubeVirt changes in a VMI later is a hot-plug, which has rows of its own",
    "6": "a restore or clone to a new name is evaluated once, at its creation",
    "7": "with no VM there a restore creates one, else it writes over it",
    "8": "what a restore writes has its labels from the snapshot, a patch or a template",
    "9": "over a VM that is there KubeVirt keeps its labels and applies no patch",
    "hot-plug": "a device is not hot-plugged",
}
HOT_PLUGS = ("addvolume", "/status", "VMI by kubevirt-")
"""Words in the names of the paths on which volumes alone come."""


class Fault(NamedTuple):
    """What makes a VM bad: the rule (None for a good one), whether it denies, the PVC, and the words that are due.

    ``of`` names the volume or device.
    """

    rule: str | None
    denies: bool = False
    claim: str | None = None
    of: str = ""
    what: str = ""
    remedy: str = ""

    @property
    def is_device(self) -> bool:
        """Whether it is a device of the host, and no volume."""
        return self.rule == "host-devices"


SHARED, DATA = "accessModes [ReadWriteMany]", 'volume "data"'
ANOTHER = f"Use another PVC, with {SHARED}"
TO_BLOCK = f"{ANOTHER} and volumeMode Block, or {SHARED} and a storageClassName on ontap-nas."
NO_DEVICE = "Remove the device, or use an instancetype without it."
ONCE, SAN = 'PVC "once" is ReadWriteOnce, not ReadWriteMany', 'PVC "san-fs" is in Filesystem mode on ontap-san'
FAULTS = {
    "good": Fault(None, claim="good-block"),
    "ReadWriteOnce": Fault("shared-access", True, "once", DATA, ONCE, f"{ANOTHER}."),
    "SAN Filesystem": Fault("san-block", True, "san-fs", DATA, SAN, TO_BLOCK),
    "missing PVC": Fault("claim-known", False, "absent", DATA, 'PVC "absent"'),
    "host device": Fault("host-devices", True, None, 'host device "nic"', "belongs to its node", NO_DEVICE),
}


@dataclass(frozen=True)
class Cell:
    """A cell of the table; ``symbol`` is what stands in it."""

    path: str
    moment: str
    variant: str
    fault_name: str
    symbol: str

    @property
    def fault(self) -> Fault:
        """What makes the VM bad."""
        return FAULTS[self.fault_name]

    @property
    def of_bad(self) -> bool:
        """Whether the VM was bad before."""
        return self.moment == "update of a bad one"

    @property
    def outcome(self) -> Outcome:
        """What is due."""
        return OUTCOMES[self.symbol]

    @property
    def rules(self) -> set[str]:
        """The rules that are due to deny."""
        fault = {self.fault.rule or ""} if self.fault.denies and self.outcome.fault == "denied" else set()
        label = self.outcome.label
        return fault | ({"restore-patches" if label == "unknown patches" else "exemption"} if label else set())

    @property
    def reported(self) -> str | None:
        """The end of the warning about the fault that is due; None where no warning is."""
        if self.fault.rule is None or self.outcome.fault == "unseen" or self.fault.rule in self.rules:
            return None
        before = " (pre-existing)" if self.fault.denies else ""
        ends = {"exempt": " (exempt)", "preexisting": before}
        return f"{ends.get(self.outcome.fault, '')} [{self.fault.rule}]"

    def __str__(self) -> str:
        """Return the cell's name."""
        return f"{self.path}, {self.moment}, {self.fault_name}, {self.variant}"


def cells() -> list[Cell]:
    """Return every cell of the table, applicable or not."""
    columns = [(moment, variant) for moment in MOMENTS for variant in VARIANTS]
    rows = [line.partition("   ") for line in MATRIX.strip().splitlines()]
    return [
        Cell(path.strip(), moment, variant, fault, _symbol(path, moment, fault, symbol))
        for path, _, symbols in rows
        for (moment, variant), symbol in zip(columns, symbols.split(), strict=True)
        for fault in FAULTS
    ]


def _symbol(path: str, moment: str, fault: str, symbol: str) -> str:
    plugged = any(words in path for words in HOT_PLUGS) and moment == "update of a good one"
    return "hot-plug" if plugged and FAULTS[fault].is_device and symbol in OUTCOMES else symbol
