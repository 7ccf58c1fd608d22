"""Simulated replicas, webhook configurations and time, through many rotations and losses.

At every instant, every API server accepts the leaf of every ready replica, also if it does not know the newest bundles
yet: by cryptography's verifier with its own strict rules, and where steps are short by OpenSSL, as a real client.
"""

import random
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

import pytest
from cryptography import x509
from cryptography.x509.verification import PolicyBuilder, Store

from certs import Leaf, Lifetimes, Serving, Stored, renewed, rotate, union
from tests.certs.build import DAY, HOUR, MINUTE, NAME, NAMES, SECOND, certificate, handshake, serving, trusting

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
    """After an installation. OpenSSL uses the real clock; ours is ahead, by less than the hour that we sign early."""

    def __init__(self, lifetimes: Lifetimes, step: timedelta, seed: int) -> None:
        self.lifetimes, self.step, self.random = lifetimes, step, random.Random(seed)
        self.now = datetime.now(UTC).replace(microsecond=0) + HOUR / 2
        self.secret: dict[str, bytes] | None = None
        self.history: dict[str, list[tuple[datetime, bytes]]] = defaultdict(list)
        self.replicas = [self.replica() for _ in range(REPLICAS)]
        self.leader = 0
        self.blocked: str | None = None
        self.ca_certificates: set[bytes] = set()
        for _ in range(6):
            self.tick()

    @property
    def bundles(self) -> list[bytes]:
        return [history[-1][1] for history in self.history.values()]

    def replica(self) -> Replica:
        return Replica(Serving(self.lifetimes.trust_delay, NAME))

    def restart(self, index: int) -> None:
        self.replicas[index] = self.replica()

    def act_as_leader(self, whole: bool) -> None:
        leader = self.replicas[self.leader]
        now = self.now + leader.skew
        stored = Stored.from_data(self.secret) if self.secret else leader.remembered
        stored = rotate(stored, self.bundles, now, self.lifetimes)
        self.secret, leader.remembered = stored.to_data(), stored
        if stored.signing:
            self.ca_certificates.add(stored.signing.certificate)
        for name in CONFIGURATIONS if whole else self.random.sample(CONFIGURATIONS, 1):
            bundle = union(*self.bundles, stored.bundle(now), now=now)
            if name != self.blocked and (name not in self.history or self.history[name][-1][1] != bundle):
                self.history[name].append((self.now, bundle))

    def follow(self, replica: Replica) -> None:
        now = self.now + replica.skew
        if self.secret:
            replica.remembered = Stored.from_data(self.secret)
            replica.leaf = renewed(replica.leaf, replica.remembered, NAMES, now, self.lifetimes)
        if replica.leaf:
            replica.serving.offer(replica.leaf)
        replica.serving.observe(self.bundles, now)

    def tick(self) -> None:
        acts: list[Callable[[], None]] = [lambda: self.act_as_leader(self.random.random() < 0.5)]
        acts += [lambda replica=each: self.follow(replica) for each in self.replicas]  # type: ignore[misc]
        self.random.shuffle(acts)
        for act in acts:
            act()
            self.look()
        self.now += self.step
        self.look()

    def look(self) -> None:
        for replica in self.replicas:
            leaf = replica.serving.current()
            if leaf is None or replica.serving.why_not():
                continue
            replica.served.add(leaf.chain)
            for bundle in {bundle for history in self.history.values() for bundle in self.in_use(history)}:
                assert accepts(bundle, leaf, self.now), f"at {self.now}, its clock off by {replica.skew}"
                if self.step < SECOND:
                    shake_hands(bundle, leaf)

    def in_use(self, history: list[tuple[datetime, bytes]]) -> list[bytes]:
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


@lru_cache(maxsize=100)
def shake_hands(bundle: bytes, leaf: Leaf) -> None:
    handshake(serving(leaf), trusting(bundle))


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
    world = World(lifetimes, step, seed)
    while len(world.ca_certificates) < 5:
        world.leader = world.random.randrange(REPLICAS)
        world.replicas[world.random.randrange(REPLICAS)].skew = world.random.choice([-1, 0, 1]) * skew
        world.tick()
        assert world.ready() == REPLICAS
    assert all(len(each.served) >= 10 for each in world.replicas)


def lose(world: World) -> None:
    world.secret = None
    for replica in world.replicas:
        replica.remembered = None


def block(world: World) -> None:
    world.blocked = None if world.blocked else world.random.choice(CONFIGURATIONS)


def corrupt(world: World) -> None:
    history = world.history[world.random.choice(CONFIGURATIONS)]
    history[:] = [(world.now, b"")]
    world.act_as_leader(True)
    del history[0]


PROBLEMS: dict[str, Callable[[World], None]] = {
    "the Secret is deleted": lambda world: setattr(world, "secret", None),
    "the webhook configurations are deleted": lambda world: world.history.clear(),
    "the leader restarts": lambda world: world.restart(world.leader),
    "another replica restarts": lambda world: world.restart((world.leader + 1) % REPLICAS),
    "our CAs are removed from a bundle": corrupt,
    "one webhook configuration cannot be written for a day": block,
    "the Secret is lost, with all memory of it": lose,
}


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=PROBLEMS)
def test_every_ready_replica_is_accepted_through_losses(problem: Callable[[World], None]) -> None:
    lifetimes, step, _ = SCALES["days"]
    world = World(lifetimes, step, 0)
    for tick in range(350):
        world.leader = world.random.randrange(REPLICAS)
        world.tick()
        assert world.ready() >= REPLICAS - 1
        if tick % 30 == 20:
            problem(world)
    assert len(world.ca_certificates) >= 4
    assert world.ready() == REPLICAS
