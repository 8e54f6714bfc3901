"""A small world for the sender: one practice chain, three endpoints that fail, orders whose effects can be counted.

Every order pays a fixed sum to an account of its own, so that "how often was it executed" is a balance. The world
judges the sender from outside: by the chain, never by what the sender says of itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import MessageV0
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction

from pumpswap.chain.blockhash import BlockhashCache
from pumpswap.chain.lanes import Lane, RpcLane
from pumpswap.chain.node import BlockhashAt, ChainAccount, Commitment, ConfirmedTransaction, Height, Node
from pumpswap.chain.order_state import BuildRequest, Built, Landed, OrderState, SendJob, Waiting
from pumpswap.chain.sender import Sender, SenderParts
from pumpswap.errors import ChainError, EndpointDown, StorageError
from pumpswap.localnet.chain import LocalChain
from pumpswap.localnet.faults import Fault, FaultKind, FaultPlan
from pumpswap.localnet.inprocess import LocalNode
from pumpswap.model import Attempt, AttemptState, Costs, Denied, Filled, PlanKind, Rejected, SpendPlan
from pumpswap.settings import SendingSettings
from tests.storage import samples

SUM = 2_000_000  # lamports that one execution moves
NAMES = ("ash", "birch", "cedar")
SYSTEM = Pubkey.default()
SLOT_NS = 400_000_000

# One endpoint may tell lies; all of them may fail in every other way.
LIES = (FaultKind.HIDE, FaultKind.CLAIM_LANDED, FaultKind.CLAIM_FAILED, FaultKind.CLAIM_HEIGHT)
FAILURES = (
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.FALSE_OK,
    FaultKind.FALSE_ERROR,
    FaultKind.DELAY,
    FaultKind.DELAY_TO_EXPIRY,
    FaultKind.RATE_LIMITED,
    FaultKind.SERVER_ERROR,
    FaultKind.SLOW,
    FaultKind.RESET,
    FaultKind.STALE,
    FaultKind.RESTART,
)


class Crash(BaseException):
    """The process is gone. No handler for errors may catch it."""


class Wrong(AssertionError):
    """The sender has broken a rule."""


class ChainClock:
    """The chain's time."""

    def __init__(self, chain: LocalChain) -> None:
        self._chain = chain

    def now_ns(self) -> int:
        return self._chain.slot * SLOT_NS


class MemoryStore:
    """An AttemptStore that outlives the sender, with the rules of the real one."""

    def __init__(self) -> None:
        self.rows: dict[str, Attempt] = {}
        self.orders: dict[str, list[str]] = {}

    def add(self, attempt: Attempt) -> None:
        known = self.of_order(attempt.order_id)
        if attempt.signature in self.rows or attempt.number != len(known) + 1:
            raise StorageError("stored already, or not the next")
        if any(one.state is not AttemptState.EXPIRED for one in known):
            raise StorageError("another attempt is open")
        self.rows[attempt.signature] = attempt
        self.orders.setdefault(attempt.order_id, []).append(attempt.signature)

    def mark(self, signature: str, state: AttemptState, at_ns: int, note: str = "") -> None:
        before = self.rows[signature]
        if before.state is state:
            return
        if not before.state.is_open or state is AttemptState.SIGNED:
            raise StorageError("never back")
        self.rows[signature] = replace(before, state=state, resolved_ns=None if state.is_open else at_ns, note=note)

    def of_order(self, order_id: str) -> Sequence[Attempt]:
        return tuple(self.rows[signature] for signature in self.orders.get(order_id, ()))

    def unresolved(self) -> Sequence[Attempt]:
        return tuple(row for row in self.rows.values() if row.state.is_open)


class Mine:
    """Where the process may be killed: before or after each write and each broadcast."""

    def __init__(self) -> None:
        self.left: int | None = None

    def step(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                self.left = None
                raise Crash


class MinedStore:
    def __init__(self, store: MemoryStore, mine: Mine) -> None:
        self._store, self._mine = store, mine

    def add(self, attempt: Attempt) -> None:
        self._mine.step()
        self._store.add(attempt)
        self._mine.step()

    def mark(self, signature: str, state: AttemptState, at_ns: int, note: str = "") -> None:
        self._mine.step()
        self._store.mark(signature, state, at_ns, note)
        self._mine.step()

    def of_order(self, order_id: str) -> Sequence[Attempt]:
        return self._store.of_order(order_id)

    def unresolved(self) -> Sequence[Attempt]:
        return self._store.unresolved()


class MinedLane(RpcLane):
    def __init__(self, pool: Pool, mine: Mine) -> None:
        super().__init__(pool)
        self._mine = mine

    async def send(self, raw: bytes) -> None:
        self._mine.step()
        await super().send(raw)
        self._mine.step()


class Pool:
    """Three endpoints. Block-hashes come from the first that answers."""

    name = "pool"

    def __init__(self, nodes: Sequence[LocalNode]) -> None:
        self.nodes: Sequence[LocalNode] = nodes

    def usable(self) -> Sequence[Node]:
        return tuple(node for node in self.nodes if not node.is_down)

    async def latest_blockhash(self, commitment: Commitment = Commitment.CONFIRMED) -> BlockhashAt:
        for node in self.nodes:
            try:
                return await node.latest_blockhash(commitment)
            except ChainError:
                continue
        raise EndpointDown("no endpoint")

    async def height(self, commitment: Commitment = Commitment.CONFIRMED) -> Height:
        for node in self.nodes:
            try:
                return await node.height(commitment)
            except ChainError:
                continue
        raise EndpointDown("no endpoint")


class KeySigner:
    def __init__(self, key: Keypair) -> None:
        self._key = key

    @property
    def public_key(self) -> Pubkey:
        return self._key.pubkey()

    async def sign(self, message: MessageV0, plan: SpendPlan) -> VersionedTransaction:
        return VersionedTransaction(message, [self._key])


@dataclass
class Order:
    """An order of the world, and everything that was ever said about it."""

    order_id: str
    recipient: Pubkey
    fails: bool
    said: list[OrderState] = field(default_factory=list)


SenderFactory = Callable[[SenderParts], Sender]


class World:
    """A chain that many worlds may use one after the other: each has a wallet, orders and endpoints of its own."""

    def __init__(self, chain: LocalChain, seed: int, make_sender: SenderFactory = Sender) -> None:
        self.chain, self.rng = chain, Random(f"world {seed}")
        self._seed, self._make_sender = seed, make_sender
        self.clock = ChainClock(chain)
        self.key = Keypair.from_seed(bytes(Hash.hash(f"wallet {seed}".encode())))
        chain.set_account(ChainAccount(self.key.pubkey(), SYSTEM, 10**10, b""))
        self.store, self.mine = MemoryStore(), Mine()
        self.orders: dict[str, Order] = {}
        self.settings = SendingSettings(max_attempts=3, rebroadcast_ms=800, poll_ms=400)
        self.pool = Pool([LocalNode(chain, name=name) for name in NAMES])
        self.sender = self.rebuilt()

    # ------------------------------------------------------------------------------------------ what may happen

    def rebuilt(self) -> Sender:
        """A new process on the same books."""
        self.mine.left = None
        lanes: tuple[Lane, ...] = (MinedLane(self.pool, self.mine),)
        parts = SenderParts(
            self.pool,
            lanes,
            MinedStore(self.store, self.mine),
            KeySigner(self.key),
            BlockhashCache(self.pool, self.clock),  # type: ignore[arg-type]
            self.clock,
            self.settings,
        )
        self.sender = self._make_sender(parts)
        return self.sender

    def new_order(self, *, fails: bool = False) -> Order:
        number = len(self.orders) + 1
        recipient = Keypair.from_seed(bytes(Hash.hash(f"payee {self._seed} {number}".encode()))).pubkey()
        order = Order(f"o{number:06d}", recipient, fails)
        self.orders[order.order_id] = order
        return order

    def job(self, order: Order) -> SendJob:
        lamports = 10**15 if order.fails else SUM

        async def build(request: BuildRequest) -> Built | Denied:
            pay = transfer(TransferParams(from_pubkey=self.key.pubkey(), to_pubkey=order.recipient, lamports=lamports))
            message = MessageV0.try_compile(self.key.pubkey(), [pay], [], request.blockhash.blockhash)
            plan = SpendPlan(order.order_id, PlanKind.BUY, self.key.pubkey(), 5_000)
            return Built(message, plan, 200_000, 10_000 * request.number)

        return SendJob(order.order_id, build, interpret)

    async def start(self, order: Order) -> None:
        await self._step(order, lambda: self.sender.start(self.job(order)))

    async def advance(self, order: Order) -> None:
        await self._step(order, lambda: self.sender.advance(order.order_id))

    async def _step(self, order: Order, act: Callable[[], object]) -> None:
        try:
            state = await act()  # type: ignore[misc]
        except Crash:
            self.rebuilt()
        else:
            order.said.append(state)
        self.check()

    def mend(self) -> None:
        """All endpoints are well again, with the whole history."""
        self.pool.nodes = [LocalNode(self.chain, name=name) for name in NAMES]

    def is_settled(self, order: Order) -> bool:
        return bool(order.said) and not isinstance(order.said[-1], Waiting)

    async def settle(self) -> None:
        """After the endpoints have recovered everything must become known. Raises Wrong when it does not."""
        self.mine.left = None
        self.mend()
        for _ in range(40):
            open_orders = [order for order in self.orders.values() if not self.is_settled(order)]
            if not open_orders:
                return
            self.chain.advance(20)
            for order in open_orders:
                await self.advance(order)
        raise Wrong(f"never resolved: {[order.order_id for order in open_orders]}")

    # ------------------------------------------------------------------------------------------ the judge

    def check(self) -> None:
        """Raises Wrong when a rule is broken now."""
        for order in self.orders.values():
            attempts = self.store.of_order(order.order_id)
            if sum(attempt.state.is_open for attempt in attempts) > 1:
                raise Wrong(f"{order.order_id}: two open attempts")
            landed = [self.chain.transaction(attempt.signature) for attempt in attempts]
            if sum(found is not None for found in landed) > 1:
                raise Wrong(f"{order.order_id}: two of its transactions are on the chain")
            if (executions := self.executions(order)) > 1:
                raise Wrong(f"{order.order_id}: executed {executions} times")
            for state in order.said:
                self._check_said(order, state, [found for found in landed if found is not None])

    def executions(self, order: Order) -> int:
        """How often the chain has executed this order."""
        account = self.chain.account(order.recipient)
        return account.lamports // SUM if account is not None else 0

    def _check_said(self, order: Order, state: OrderState, landed: list[ConfirmedTransaction]) -> None:
        if isinstance(state, Denied) and (landed or self.executions(order)):
            raise Wrong(f"{order.order_id}: said to be denied ({state.rule}), yet it is on the chain")
        if isinstance(state, Landed):
            truth = landed[0] if landed else None
            if truth is None or truth != state.transaction:
                raise Wrong(f"{order.order_id}: said to have landed, which is not so")
            if (truth.err is None) != (self.executions(order) == 1):
                raise Wrong(f"{order.order_id}: its success and its effect differ")


def interpret(attempt: Attempt, transaction: ConfirmedTransaction) -> Filled | Rejected:
    """What a venue would make of it."""
    at_ns = transaction.slot * SLOT_NS
    costs = Costs(network_fee=transaction.fee)
    if transaction.err is None:
        quote = samples.buy_quote()
        return Filled(attempt.order_id, at_ns, transaction.slot, quote, costs, attempt.signature)
    return Rejected(attempt.order_id, at_ns, transaction.slot, 1, "failed", "failed", costs, attempt.signature)


# ---------------------------------------------------------------------------------------------- schedules


def new_chain(seed: int = 0) -> LocalChain:
    """A chain that is a little older than its oldest order: before its first block nothing can be proven."""
    chain = LocalChain(seed=seed)
    chain.advance(8)
    return chain


def draw_faults(world: World) -> None:
    """Each endpoint gets its own bad day; at most one of them lies."""
    liar = world.rng.randrange(-1, len(NAMES))
    # Sometimes nothing gets through anywhere for so long that transactions expire, or arrive at the last moment.
    outage = world.rng.choice((0, 0, 30, 160, 320))
    kind, delay = world.rng.choice(
        ((FaultKind.FALSE_OK, 0), (FaultKind.DROP_BEFORE, 0), (FaultKind.DELAY, 149), (FaultKind.DELAY_TO_EXPIRY, 0))
    )
    for at, node in enumerate(world.pool.nodes):
        kinds = FAILURES + LIES * 2 if at == liar else FAILURES
        seed, count = world.rng.getrandbits(32), world.rng.choice((0, 1, 2, 4, 8))
        node.faults = FaultPlan.drawn(seed, first_slot=world.chain.slot, slots=260, count=count, kinds=kinds)
        if outage:
            node.faults.faults.insert(0, Fault(kind, last_slot=world.chain.slot + outage, amount=delay))
        if world.rng.random() < 0.3:  # everything that is sent meets the same fate
            fate = world.rng.choice(FAILURES[:6])
            node.faults.add(Fault(fate, amount=world.rng.choice((0, 0, 1, 20, 149, 150))))


async def run_schedule(chain: LocalChain, seed: int, make_sender: SenderFactory = Sender, steps: int = 12) -> World:
    """One random schedule, from the first signature to the last proof. Raises Wrong when the sender is."""
    world = World(chain, seed, make_sender)
    draw_faults(world)
    for _ in range(world.rng.choice((1, 1, 2))):
        order = world.new_order(fails=world.rng.random() < 0.15)
        if world.rng.random() < 0.25:
            world.mine.left = world.rng.randrange(8)
        await world.start(order)
    for _ in range(steps):
        await _happen(world)
    await world.settle()
    return world


async def _happen(world: World) -> None:
    """Time passes, something breaks or does not, the sender makes a step."""
    rng, chain = world.rng, world.chain
    chance = rng.random()
    if chance < 0.07:
        world.rebuilt()
    elif chance < 0.12:
        world.mine.left = rng.randrange(8)
    elif chance < 0.19:
        chain.roll_back(1)
    elif chance < 0.25:
        rng.choice(world.pool.nodes).restart()
    elif chance < 0.32:
        node = rng.choice(world.pool.nodes)
        node.is_down = not node.is_down
    elif chance < 0.38:
        rng.choice(world.pool.nodes).lag_slots = rng.choice((0, 1, 40, 200))
    elif chance < 0.42:
        chain.skip(rng.choice((1, 4, 30)))
    # Sometimes not at all: what was sent is then processed only, and may be rolled back.
    chain.advance(rng.choice((0, 0, 1, 1, 2, 5, 20, 40, 75, 151)))
    for order in world.orders.values():
        if not world.is_settled(order):
            await world.advance(order)
    world.check()  # what was said before must still be so


def run_schedules(first_seed: int, count: int, make_sender: SenderFactory = Sender) -> dict[str, int]:
    """Many schedules on one chain; counts of how they ended. Raises Wrong, naming the seed."""
    chain, ended = new_chain(), dict.fromkeys(("filled", "rejected", "expired", "not sent", "endpoints", "other"), 0)
    ended |= {"attempts": 0, "crossed": 0}
    with asyncio.Runner() as runner:
        for seed in range(first_seed, first_seed + count):
            if (seed - first_seed) % 2_000 == 1_999:
                chain = new_chain(seed)
            try:
                world = runner.run(run_schedule(chain, seed, make_sender))
            except Wrong as wrong:
                raise Wrong(f"schedule {seed}: {wrong}") from None
            for order in world.orders.values():
                ended[_kind_of(order.said[-1])] += 1
                ended["attempts"] += len(world.store.of_order(order.order_id))
                ended["crossed"] += len(world.store.of_order(order.order_id)) > 1
    return ended


def _kind_of(state: OrderState) -> str:
    if isinstance(state, Landed):
        return "filled" if state.transaction.err is None else "rejected"
    return state.rule if isinstance(state, Denied) and state.rule in ("expired", "not sent", "endpoints") else "other"
