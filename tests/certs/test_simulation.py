"""Simulated replicas, webhook configurations and time, through many rotations and losses.

At every instant, every API server accepts the leaf of every ready replica, also if it does not know the newest bundles
yet. The check shares no code with the product: it is cryptography's verifier with its own strict rules.
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
    serving: Serving
    leaf: Leaf | None = None
    skew: timedelta = timedelta(0)
    remembered: Stored | None = None
    served: set[bytes] = field(default_factory=set)


class World:
    def __init__(self, lifetimes: Lifetimes, seed: int) -> None:
        self.lifetimes, self.random, self.now = lifetimes, random.Random(seed), NOW
        self.secret: dict[str, bytes] | None = None
        self.bundles: dict[str, bytes] = {}
        self.history: dict[str, list[tuple[datetime, bytes]]] = defaultdict(list)
        self.replicas = [self.replica() for _ in range(REPLICAS)]
        self.leader = 0
        self.blocked: str | None = None
        self.ca_certificates: set[bytes] = set()

    def replica(self) -> Replica:
        return Replica(Serving(self.lifetimes.trust_delay, NAME))

    def configure(self, name: str, bundle: bytes) -> None:
        if name != self.blocked and self.bundles.get(name) != bundle:
            self.bundles[name] = bundle
            self.history[name].append((self.now, bundle))

    def forget(self) -> None:
        self.bundles.clear()
        self.history.clear()

    def act_as_leader(self, whole: bool) -> None:
        leader = self.replicas[self.leader]
        now = self.now + leader.skew
        stored = Stored.from_data(self.secret) if self.secret else leader.remembered
        stored = rotate(stored, self.bundles.values(), now, self.lifetimes)
        self.secret, leader.remembered = stored.to_data(), stored
        if stored.signing:
            self.ca_certificates.add(stored.signing.certificate)
        names = [*CONFIGURATIONS] if whole else self.random.sample(CONFIGURATIONS, 1)
        for name in names:
            held = self.bundles.values()
            self.configure(name, union(*held, stored.bundle(now), now=now))

    def follow(self, replica: Replica) -> None:
        now = self.now + replica.skew
        if self.secret:
            replica.remembered = Stored.from_data(self.secret)
            replica.leaf = renewed(replica.leaf, replica.remembered, NAMES, now, self.lifetimes)
        if replica.leaf:
            replica.serving.offer(replica.leaf)
        replica.serving.observe(tuple(self.bundles.values()), now)

    def begin(self, step: timedelta) -> None:
        for _ in range(6):
            self.tick(step)

    def tick(self, step: timedelta) -> None:
        acts: list[Callable[[], None]] = [lambda: self.act_as_leader(self.random.random() < 0.5)]
        acts += [lambda replica=each: self.follow(replica) for each in self.replicas]  # type: ignore[misc]
        self.random.shuffle(acts)
        for act in acts:
            act()
            self.look()
        self.now += step
        self.look()

    def look(self) -> None:
        for replica in self.replicas:
            leaf = replica.serving.current()
            if leaf is None or replica.serving.why_not():
                continue
            replica.served.add(leaf.chain)
            for bundle in {bundle for name in self.bundles for bundle in self.in_use(name)}:
                assert accepts(bundle, leaf, self.now), f"at {self.now}, its clock off by {replica.skew}"

    def in_use(self, name: str) -> list[bytes]:
        history = self.history[name]
        ends = [*(since for since, _ in history[1:]), self.now]
        late = self.now - self.lifetimes.trust_delay / 2
        return [history[-1][1], *(old for (_, old), end in zip(history, ends, strict=True) if end > late)]

    def ready(self) -> int:
        return sum(each.serving.current() is not None and not each.serving.why_not() for each in self.replicas)


@lru_cache(maxsize=100)
def accepts(bundle: bytes, leaf: Leaf, now: datetime) -> bool:
    store = Store(x509.load_pem_x509_certificates(bundle))
    verifier = PolicyBuilder().store(store).time(now).build_server_verifier(x509.DNSName(NAME))
    return bool(verifier.verify(certificate(leaf), []))


SCALES = {
    "seconds": (Lifetimes(20 * SECOND, 5 * SECOND, 2 * SECOND), SECOND / 4, SECOND / 2),
    "days": (Lifetimes(6 * DAY, DAY, 3 * HOUR), HOUR, 50 * MINUTE),
    "a year": (Lifetimes(365 * DAY, 7 * DAY, 60 * SECOND), 2 * DAY, 50 * MINUTE),
}
"""Lifetimes, the time between two reconciles, and by how much clocks are wrong."""


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.cluster) for seed in range(1, 4))])
@pytest.mark.parametrize(("lifetimes", "step", "skew"), SCALES.values(), ids=SCALES)
def test_every_ready_replica_is_accepted_through_many_rotations(
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


def restart(world: World, index: int) -> None:
    world.replicas[index] = world.replica()


def lose(world: World) -> None:
    world.secret = None
    for replica in world.replicas:
        replica.remembered = None


def block(world: World) -> None:
    world.blocked = None if world.blocked else world.random.choice(CONFIGURATIONS)


def corrupt(world: World) -> None:
    name = world.random.choice(list(world.bundles))
    world.bundles[name] = b""
    world.act_as_leader(True)
    world.history[name] = [(world.now, world.bundles[name])]


PROBLEMS: dict[str, Callable[[World], None]] = {
    "the Secret is deleted": lambda world: setattr(world, "secret", None),
    "the webhook configurations are deleted": World.forget,
    "the leader restarts": lambda world: restart(world, world.leader),
    "another replica restarts": lambda world: restart(world, (world.leader + 1) % REPLICAS),
    "our CAs are removed from a bundle": corrupt,
    "one webhook configuration cannot be written for a day": block,
    "the Secret is lost, with all memory of it": lose,
}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_every_ready_replica_is_accepted_through_losses(problem: Callable[[World], None]) -> None:
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
