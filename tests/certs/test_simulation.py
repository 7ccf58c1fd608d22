"""Several replicas, three webhook configurations and a clock of our own, through many rotations and everything that goes wrong.

At every instant every replica that is ready serves what every API server accepts, also one that has not heard of the
newest bundles yet. The evaluate shares no code with what it evaluates: cryptography's verifier with its own strict rules.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from certs import Leaf, Lifetimes, Serving, Stored, renewed, rotate, union
from tests.certs.build import DAY, HOUR, MINUTE, NAME, NAMES, NOW, SECOND, certificate

CONFIGURATIONS = ("machines", "mutate", "guard")
REPLICAS = 3


@dataclass
class Replica:
    """One process: what it serves, the leaf it has, and how wrong its clock is."""

    serving: Serving
    leaf: Leaf | None = None
    skew: timedelta = timedelta(0)
    remembered: Stored | None = None
    served: set[bytes] = field(default_factory=set)


class World:
    """A cluster: a Secret, webhook configurations with their history, replicas of which one leads, and the true time."""

    def __init__(self, lifetimes: Lifetimes, seed: int) -> None:
        self.lifetimes, self.random, self.now = lifetimes, random.Random(seed), NOW
        self.secret: dict[str, bytes] | None = None
        self.observe: dict[str, bytes] = {}
        self.history: dict[str, list[tuple[datetime, bytes]]] = defaultdict(list)
        self.replicas = [self.replica() for _ in range(REPLICAS)]
        self.leader = 0
        self.unmigratable: str | None = None
        self.ca_certificates: set[bytes] = set()

    def replica(self) -> Replica:
        """Return a process that has just begun."""
        return Replica(Serving(self.lifetimes.trust_delay, NAME))

    def configure(self, name: str, bundle: bytes) -> None:
        """Write a bundle into a webhook configuration; API servers may use the one before for a while."""
        if name != self.unmigratable and self.observe.get(name) != bundle:
            self.observe[name] = bundle
            self.history[name].append((self.now, bundle))

    def forget(self) -> None:
        """Take away all webhook configurations, and with them what API servers remember of them."""
        self.observe.clear()
        self.history.clear()

    def act_as_leader(self, whole: bool) -> None:
        """Do what the leader does at each pass, or only the first part of it before it is interrupted."""
        leader = self.replicas[self.leader]
        now = self.now + leader.skew
        stored = Stored.from_data(self.secret) if self.secret else leader.remembered
        stored = rotate(stored, self.observe.values(), now, self.lifetimes)
        self.secret, leader.remembered = stored.to_data(), stored
        if stored.signing:
            self.ca_certificates.add(stored.signing.certificate)
        names = [*CONFIGURATIONS] if whole else self.random.sample(CONFIGURATIONS, 1)
        for name in names:
            held = self.observe.values()
            self.configure(name, union(*held, stored.bundle(now), now=now))

    def follow(self, replica: Replica) -> None:
        """Do what each replica does at each pass."""
        now = self.now + replica.skew
        if self.secret:
            replica.remembered = Stored.from_data(self.secret)
            replica.leaf = renewed(replica.leaf, replica.remembered, NAMES, now, self.lifetimes)
        if replica.leaf:
            replica.serving.offer(replica.leaf)
        replica.serving.observe(tuple(self.observe.values()), now)

    def begin(self, step: timedelta) -> None:
        """Let everything be registered, and everyone ready."""
        for _ in range(6):
            self.tick(step)

    def tick(self, step: timedelta) -> None:
        """Let everyone act once, in any order, and look at what is served after each act."""
        acts: list[Callable[[], None]] = [lambda: self.act_as_leader(self.random.random() < 0.5)]
        acts += [lambda replica=each: self.follow(replica) for each in self.replicas]  # type: ignore[misc]
        self.random.shuffle(acts)
        for act in acts:
            act()
            self.look()
        self.now += step
        self.look()

    def look(self) -> None:
        """See whether what is served is accepted by anyone who calls a ready replica."""
        for replica in self.replicas:
            leaf = replica.serving.current()
            if leaf is None or replica.serving.why_not():
                continue
            replica.served.add(leaf.chain)
            for bundle in {bundle for name in self.observe for bundle in self.in_use(name)}:
                assert accepts(bundle, leaf, self.now), f"at {self.now}, its clock off by {replica.skew}"

    def in_use(self, name: str) -> list[bytes]:
        """Return the bundles that an API server may know: the newest, and what it replaced not long ago."""
        history = self.history[name]
        ends = [*(since for since, _ in history[1:]), self.now]
        late = self.now - self.lifetimes.trust_delay / 2
        return [history[-1][1], *(old for (_, old), end in zip(history, ends, strict=True) if end > late)]

    def ready(self) -> int:
        """Return how many replicas may be called."""
        return sum(each.serving.current() is not None and not each.serving.why_not() for each in self.replicas)


@lru_cache(maxsize=100)
def accepts(bundle: bytes, leaf: Leaf, now: datetime) -> bool:
    """Tell whether a client accepts the leaf; raises VerificationError where it does not."""
    store = Store(x509.load_pem_x509_certificates(bundle))
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(x509.DNSName(NAME))
    return bool(verifier.verify(certificate(leaf), []))


SCALES = {
    "seconds": (Lifetimes(20 * SECOND, 5 * SECOND, 2 * SECOND), SECOND / 4, SECOND / 2),
    "days": (Lifetimes(6 * DAY, DAY, 3 * HOUR), HOUR, 50 * MINUTE),
    "a year": (Lifetimes(365 * DAY, 7 * DAY, 60 * SECOND), 2 * DAY, 50 * MINUTE),
}
"""Lifetimes, the time between two passes, and by how much clocks are wrong."""


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.cluster) for seed in range(1, 4))])
@pytest.mark.parametrize(("lifetimes", "step", "skew"), SCALES.values(), ids=SCALES)
def test_anyone_who_is_ready_is_accepted_through_many_rotations(
    lifetimes: Lifetimes, step: timedelta, skew: timedelta, seed: int
) -> None:
    world = World(lifetimes, seed)
    world.begin(step)
    while len(world.ca_certificates) < 5:
        world.leader = world.random.randrange(REPLICAS)
        world.replicas[world.random.randrange(REPLICAS)].skew = world.random.choice([-1, 0, 1]) * skew
        world.tick(step)
        assert world.ready() == REPLICAS
    assert all(len(each.served) >= 10 for each in world.replicas)


PROBLEM: dict[str, Callable[[World], None]] = {
    "the Secret is deleted": lambda world: setattr(world, "secret", None),
    "the webhook configurations are deleted": lambda world: world.forget(),
    "the leader dies": lambda world: die(world, world.leader),
    "another replica dies": lambda world: die(world, (world.leader + 1) % REPLICAS),
    "our CAs are removed from a bundle": lambda world: corrupt(world),
    "one webhook configuration cannot be written for a day": lambda world: stick(world),
    "the Secret is lost, with all memory of it": lambda world: lose(world),
}


def die(world: World, index: int) -> None:
    """Let a process begin again."""
    world.replicas[index] = world.replica()


def lose(world: World) -> None:
    """Delete the Secret and what processes know of it, but not the leaves that they serve."""
    world.secret = None
    for replica in world.replicas:
        replica.remembered = None


def stick(world: World) -> None:
    """Let nobody write one of the webhook configurations until the next time."""
    world.unmigratable = None if world.unmigratable else world.random.choice(CONFIGURATIONS)


def corrupt(world: World) -> None:
    """Empty a bundle, which the leader sees before anybody calls."""
    name = world.random.choice(list(world.observe))
    world.observe[name] = b""
    world.act_as_leader(True)
    world.history[name] = [(world.now, world.observe[name])]


@pytest.mark.parametrize("problem", PROBLEM.values(), ids=PROBLEM)
def test_anyone_who_is_ready_is_accepted_whatever_is_lost(problem: Callable[[World], None]) -> None:
    lifetimes, step, _ = SCALES["days"]
    world = World(lifetimes, 0)
    world.begin(step)
    for tick in range(350):
        world.leader = world.random.randrange(REPLICAS)
        world.tick(step)
        assert world.ready() >= REPLICAS - 1
        if tick % 30 == 20:
            problem(world)
    assert len(world.ca_certificates) >= 4
    assert world.ready() == REPLICAS
