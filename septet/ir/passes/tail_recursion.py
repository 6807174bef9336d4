"""Calls of the function itself that are the last thing it does become jumps to its start.

    define int64 @f (int64 %n) {              define int64 @f (int64 %n) {
      :entry                                    :start
        bool %c <- %n < 3                         br :entry
        br %c :end :more                        :entry
      :end                                        i64 %sum <- phi (:start 0, :more %sum_1)
        return 1                      =>          int64 %n_1 <- phi (:start %n, :more %m)
      :more                                       bool %c <- %n_1 < 3
        int64 %m <- %n - 2                        br %c :end :more
        int64 %r <- call @f(%m)                 :end
        int64 %s <- %r + 4                        int64 %all <- 1 + %sum
        return %s                                 return %all
                                                :more
                                                  int64 %m <- %n_1 - 2
                                                  i64 %sum_1 <- %sum + 4
                                                  br :entry

Phase: both, and where loops are to be seen before it is inlined, that is early in the arrays phase.  Trigger: what comes after
the call in its block is pure, and the block then returns, or jumps to a block that does nothing but return.  What is returned
is the result of the call, or nothing, or the result plus something (added and subtracted as often as you like, modulo 2^64), or
the encoded product of the result and something.  Then a sum, from 0, or a product, from 1, is kept, and joined with whatever
the function returns in the end.  This is right because x + (y + r) = (x + y) + r, and 2xy * (r >> 1) = x * 2y(r >> 1), both
modulo 2^64.

Guard: where the result is made odd first, or untagged, all other results must be odd words (`Words`).  Cost: a phi a parameter
that changes.  Gain: the call and its frame; then loop passes, and inlining of the whole.  End: every application takes a call
of the function out of it.  Growth: three values a return.  Level: 2.
"""

from __future__ import annotations

from septet.base.names import Fresh
from septet.base.symbols import FUNCTION
from septet.base.types import I64
from septet.ir.analyses.representation import Words
from septet.ir.nodes import Block, Branch, Call, Const, Phi, Value
from septet.ir.unreachable import drop_edge, drop_unreachable
from septet.ops.table import ADD, AND, BR, CALL, MUL, OR, RETURN, SHL, SHR, SUB, UNTAG

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.base.facts import Facts
    from septet.ir.nodes import Function

NAME = "tail-recursion"

PLAIN, SUM, PRODUCT = 0, 1, 2
_ONE = Const(I64, 1)


class _Site:
    """A call of the function itself whose result is all that is returned, but for `chain`, in `block` at `position`."""

    __slots__ = ("block", "position", "chain", "kind", "factor")

    def __init__(self, block: Block, position: int, chain: list[Value]) -> None:
        self.block = block
        self.position = position
        self.chain = chain  # what is computed from the result, each from the one before, the last being returned
        self.kind = PLAIN
        self.factor: Value | None = None  # of a product: what the result is multiplied with, a number; None: half of `chain`'s

    @property
    def call(self) -> Call:
        """The call."""
        call = self.block.body[self.position]
        assert isinstance(call, Call)
        return call


def run(function: Function, facts: Facts) -> bool:
    """Make the tail calls of `function` to itself jumps; whether there were any."""
    sites = [
        site
        for block in function.blocks
        for position in [_own_call(block, function.name)]
        if position >= 0 and (site := _site(block, position, function)) is not None
    ]
    sites = _agreeing(function, sites, facts)
    chosen = []
    for site in sites:
        if facts.fuel.spend():
            chosen.append(site)
    if len(chosen) < len(sites):  # a call that stays is a result to join with the sum or product, and may not be odd
        chosen = [site for site in chosen if not site.kind]
    if not chosen:
        return False
    for site in chosen:
        kept = ("", ", a sum is kept", ", a product is kept")[site.kind]
        facts.remark(function.name, site.call.span, "recursion made a loop", f"the call is the last thing done{kept}")
    _Loop(function, chosen).make()
    facts.forget(Words)  # sums and products are made the other way round
    return True


def _own_call(block: Block, name: str) -> int:
    """Where the last call of the function itself stands in `block`, if all values after it are pure; else -1."""
    for position in range(len(block.body) - 2, -1, -1):
        value = block.body[position]
        if not value.op.pure:
            is_own = value.op is CALL and value.callee.kind == FUNCTION and value.callee.name == name  # type: ignore[attr-defined]
            return position if is_own else -1
    return -1


def _returned(block: Block) -> tuple[bool, Value | None]:
    """Whether `block` ends with a return, or leads to a block that is nothing but one; and what it returns then."""
    last = block.body[-1]
    if last.op is RETURN:
        return True, last.args[0] if last.args else None
    if last.op is BR:
        (after,) = block.successors
        end = after.body[0]
        if end.op is RETURN:
            if not end.args:
                return not after.phis, None
            value = end.args[0]
            if isinstance(value, Phi) and value in after.phis:
                return len(after.phis) == 1, value.args[value.blocks.index(block)]
    return False, None


def _site(block: Block, position: int, function: Function) -> _Site | None:
    """The call at that position, if it can be a jump."""
    returns, result = _returned(block)
    call = block.body[position]
    if not returns or len(call.args) != len(function.parameters):
        return None
    chain: dict[Value, None] = {}
    link: Value = call
    for value in block.body[position + 1 : -1]:
        uses = value.args.count(link)
        if uses > 1 or any(arg is call or arg in chain for arg in value.args if arg is not link):
            return None
        if uses:
            chain[value] = None
            link = value
    if result is None:
        return _Site(block, position, []) if not chain else None
    if link is not result or not (call.type is function.result or call.type.is_word and function.result.is_word):
        return None
    site = _Site(block, position, list(chain))
    if not chain or _is_sum(site) or _is_product(site):
        return site
    return None


def _is_sum(site: _Site) -> bool:
    """Whether the chain adds to the result, or makes it odd and then adds."""
    link: Value = site.call
    for place, value in enumerate(site.chain):
        adds = value.op is ADD or value.op is SUB and value.args[0] is link
        if not value.type.is_word or not adds and not (place == 0 and _with(value, OR, link, 1)):
            return False
        link = value
    site.kind = SUM
    return True


def _is_product(site: _Site) -> bool:
    """Whether the chain is 2x * (r >> 1) + 1, or (r - 1) * x + 1."""
    chain = site.chain
    link: Value = site.call
    if _with(chain[0], OR, link, 1):
        link, *chain = chain
    if len(chain) != 3 or not all(value.type.is_word and value.type.signed for value in chain):
        return False
    first, product, end = chain
    if product.op is not MUL or not _with(end, ADD, product, 1):
        return False
    other = product.args[product.args[0] is first]
    if first.op is UNTAG:
        site.factor = None
        if not _is_even(other):
            return False
    elif _with(first, SUB, link, 1) or _with(first, AND, link, -2):
        site.factor = other
    else:
        return False
    site.kind = PRODUCT
    return True


def _with(value: Value, op: object, left: Value, number: int) -> bool:
    """Whether `value` is `left op number`."""
    right = value.args[-1]
    return value.op is op and value.args[0] is left and isinstance(right, Const) and I64.wrap(right.number) == number


def _is_even(value: Value) -> bool:
    """Whether a word is twice a number."""
    if isinstance(value, Const):
        return not value.number & 1
    right = value.args[-1] if value.args else None
    if not isinstance(right, Const):
        return False
    if value.op is AND:
        return not right.number & 1
    if value.op is SHL:
        return right.number & 63 > 0
    left = value.args[0]
    return value.op is SUB and right.number & 1 == 1 and _with(left, OR, left.args[0], 1) if left.args else False


def _agreeing(function: Function, sites: list[_Site], facts: Facts) -> list[_Site]:
    """Those of the sites that can be jumps together: sums or products, not both; and the words that must be odd are."""
    kind = next((site.kind for site in sites if site.kind), PLAIN)
    if not kind:
        return sites
    kept = [site for site in sites if site.kind in (PLAIN, kind)]
    if not any(value.op in (OR, AND, UNTAG) for site in kept for value in site.chain) and function.result.is_word:
        return kept
    words = facts.get(Words)
    blocks = {site.block for site in kept}
    odd = function.result.is_word and all(
        words.odd(site.chain[-1]) for site in kept if site.chain
    ) and all(_returns_odd(block, blocks, words) for block in function.blocks)  # fmt: skip
    return kept if odd else [site for site in sites if not site.kind]


def _returns_odd(block: Block, but: set[Block], words: Words) -> bool:
    """Whether what `block` returns, if it does, is odd; what comes from the blocks in `but` does not count."""
    last = block.body[-1]
    if last.op is not RETURN or block in but:
        return True
    value = last.args[0]
    if isinstance(value, Phi) and value in block.phis:
        return all(words.odd(arg) for arg, before in zip(value.args, value.blocks, strict=True) if before not in but)
    return words.odd(value)


class _Loop:
    """Makes a function with tail calls a loop."""

    def __init__(self, function: Function, sites: list[_Site]) -> None:
        self.function = function
        self.sites = sites
        self.kind = max(site.kind for site in sites)
        self.header = function.blocks[0]
        fresh = Fresh(block.name for block in function.blocks)
        self.start = Block(fresh("start"))

    def make(self) -> None:
        """Do it."""
        function, header, start = self.function, self.header, self.start
        calls = [site.call for site in self.sites]
        total = self.total(calls)
        phis: dict[Value, Value] = {}
        for index, parameter in enumerate(function.parameters):
            passed = [call.args[index] for call in calls]
            if any(arg is not parameter for arg in passed):
                blocks = [start, *[site.block for site in self.sites]]
                phis[parameter] = Phi(parameter.type, [parameter, *passed], blocks, 0, NAME, parameter.name)
        for site in self.sites:
            self.jump(site, total)
        if phis:
            self.rename(phis)
        header.phis = [phi for phi in [total, *phis.values()] if isinstance(phi, Phi)]
        start.body = [Branch(BR, [], [header], 0, NAME)]
        function.blocks.insert(0, start)
        drop_unreachable(function)
        if total is not None:
            self.join(total)

    def total(self, calls: list[Call]) -> Phi | None:
        """The phi of the sum or product, to be given what comes from the sites; None where no call needs one."""
        if not self.kind:
            return None
        first = Const(I64, self.kind - 1)
        return Phi(I64, [first], [self.start], calls[0].span, NAME, "sum" if self.kind == SUM else "product")

    def jump(self, site: _Site, total: Phi | None) -> None:
        """Let the block of a site end with a jump to the header."""
        block, position, chain = site.block, site.position, site.chain
        span = site.call.span
        for target in block.successors:
            drop_edge(block, target)
        call = block.body[position]
        rest = block.body[position + 1 : -1]
        block.body = block.body[:position]
        if total is not None:
            total.blocks.append(block)
            total.args.append(self.next(site, call, total, rest) if chain else total)
        block.body += rest
        block.body.append(Branch(BR, [], [self.header], span, NAME))

    def next(self, site: _Site, call: Value, total: Phi, rest: list[Value]) -> Value:
        """What the sum or product is after a call; `rest`, what was computed after the call, is changed for that."""
        chain = site.chain
        span = call.span
        if self.kind == PRODUCT:
            for value in chain:
                rest.remove(value)
            factor = site.factor
            if factor is None:
                product = chain[-2]
                twice = product.args[product.args[0] is chain[-3]]
                factor = Value(SHR, I64, [twice, _ONE], span, NAME)
                rest.append(factor)
            rest.append(Value(MUL, I64, [total, factor], span, NAME, total.name))
            return rest[-1]
        link = call
        if chain[0].op is OR:  # 0 plus what is added stays even
            link = chain.pop(0)
            rest.remove(link)
        before: Value = total
        for value in chain:
            value.args = [before if arg is link else arg for arg in value.args]
            value.type = I64  # no encoded integer any more
            value.by = NAME
            before = link = value
        return before

    def rename(self, phis: dict[Value, Value]) -> None:
        """Let the phis stand for the parameters they begin as."""
        for block in self.function.blocks:
            for value in (*block.phis, *block.body):
                for arg in value.args:
                    if arg in phis:
                        value.args = [phis.get(arg, arg) for arg in value.args]
                        break
        for phi in phis.values():
            phi.args = [phi.args[0], *[phis.get(arg, arg) for arg in phi.args[1:]]]

    def join(self, total: Phi) -> None:
        """Let every return give its operand joined with the sum or product."""
        result = self.function.result
        for block in self.function.blocks:
            last = block.body[-1]
            if last.op is RETURN:
                value = last.args[0]
                span = last.span
                if self.kind == SUM:
                    made = [Value(ADD, result, [value, total], span, NAME)]
                else:
                    twice = Value(SUB, I64, [value, _ONE], span, NAME)
                    product = Value(MUL, I64, [twice, total], span, NAME)
                    made = [twice, product, Value(ADD, result, [product, _ONE], span, NAME)]
                last.args = [made[-1]]
                block.body[-1:] = [*made, last]
