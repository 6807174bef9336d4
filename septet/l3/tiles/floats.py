"""Tiles of scalar floats, and of the float operations that are the same on vectors of them."""

from __future__ import annotations

from septet.l3.tiles.table import tile, topic

topic("floats")


class Format:
    """How instructions name what they work on, in templates: `class_` of operations, suffix, size of constants in memory."""

    __slots__ = ("class_", "bits", "suffix", "packed", "width", "v", "lanes", "needs")

    def __init__(self, class_: str, bits: int, lanes: int = 0, size: int = 128, needs: str = "") -> None:
        self.class_ = class_
        self.bits = bits  # of a lane
        self.suffix = ("p" if lanes else "s") + ("d" if bits == 64 else "s")
        self.packed = "pd" if bits == 64 else "ps"  # for bitwise operations
        self.width = "" if size == 128 else str(size)  # behind mnemonics
        self.v = "v" if size > 128 else ""  # before them
        self.lanes = lanes or 128 // bits  # that a constant for bitwise operations has
        self.needs = needs

    def x86(self, stem: str) -> str:
        """An arithmetic instruction: `addsd`, `vaddps256`."""
        return f"{self.v}{stem}{self.suffix}{self.width}"

    def logic(self, stem: str) -> str:
        """A bitwise instruction: `andpd`, `vandps512`."""
        return f"{self.v}{stem}{self.packed}{self.width}"

    def splat(self, pattern: int) -> str:
        """A constant in memory that has `pattern` in every lane, for packed instructions."""
        number = sum([pattern << self.bits * lane for lane in range(self.lanes)])
        return f"pool {self.bits * self.lanes // 8} {number:#x}"

    def constant(self, pattern: int) -> str:
        """A constant in memory for arithmetic instructions."""
        return f"pool {self.bits // 8} {pattern:#x}" if self.suffix[0] == "s" else self.splat(pattern)


SCALARS = (Format("f64", 64), Format("f32", 32))
SIGN = {64: 1 << 63, 32: 1 << 31}
ONE = {64: 0x3FF0000000000000, 32: 0x3F800000}
WHOLE = {64: 0x4330000000000000, 32: 0x4B000000}  # 2^52, 2^23: from here up all floats are whole numbers
UNORDERED = 3
ROUNDING = {"floor": 9, "ceil": 10, "trunc": 11, "nearest": 8}


def arithmetic(f: Format) -> None:
    """Tiles that are alike for scalars and for vectors."""
    k = f.class_
    for op, x86 in (("fadd", "add"), ("fsub", "sub"), ("fmul", "mul"), ("fdiv", "div")):
        tile(f"{op}-{k}", f"({op}.{k} u p)", f"{f.x86(x86)} %d, %u, %p", 4, needs=f.needs)
    tile(f"sqrt-{k}", f"(sqrt.{k} u)", f"{f.x86('sqrt')} %d, %u", 16, needs=f.needs)
    sign, rest = f.splat(SIGN[f.bits]), f.splat(SIGN[f.bits] - 1)
    and_, or_, andn, xor = f.logic("and"), f.logic("or"), f.logic("andn"), f.logic("xor")
    tile(f"fneg-{k}", f"(fneg.{k} u)", f"{xor} %d, %u, {sign}", 1, needs=f.needs)
    tile(f"fabs-{k}", f"(fabs.{k} u)", f"{and_} %d, %u, {rest}", 1, needs=f.needs)
    tile(f"fneg-fabs-{k}", f"(fneg.{k} (fabs.{k} u))", f"{or_} %d, %u, {sign}", 1, needs=f.needs)
    gives = f"{and_} %f, %u, {rest} ; {and_} %g, %v, {sign} ; {or_} %d, %f, %g"
    tile(f"copysign-{k}", f"(copysign.{k} u v)", gives, 3, needs=f.needs)
    if f.width != "512":
        _minimum(f)
        _rounding(f, xor, and_, andn, or_)


def _minimum(f: Format) -> None:
    """IEEE 754-2019's minimum and maximum: what `min` gives either way round differs for zeros alone, whose signs are then
    joined; and where an operand is a NaN the sum is what is wanted."""
    k, cmp = f.class_, f.x86("cmp")
    for op, x86, join in (("fmin", "min", "or"), ("fmax", "max", "and")):
        both = f"{f.x86(x86)} %f, %u, %v ; {f.x86(x86)} %g, %v, %u ; {f.logic(join)} %f, %f, %g ; "
        nan = f"{cmp} %g, %u, %v, {UNORDERED} ; {f.x86('add')} %h, %u, %v ; "
        if not f.width:
            blend = f"{f.logic('and')} %h, %h, %g ; {f.logic('andn')} %g, %g, %f ; {f.logic('or')} %d, %g, %h"
            tile(f"{op}-{k}", f"({op}.{k} u v)", both + nan + blend, 9)
        blend = f"vblendv{f.packed}{f.width} %d, %f, %h, %g"
        tile(f"{op}-{k}-blend", f"({op}.{k} u v)", both + nan + blend, 7, needs=f"{f.needs} avx".strip())


def _rounding(f: Format, xor: str, and_: str, andn: str, or_: str) -> None:
    """Adding and subtracting 2^52 rounds to nearest what is smaller; what is not so small is whole already, or a NaN."""
    k = f.class_
    size = f"{and_} %f, %u, {f.splat(SIGN[f.bits] - 1)} ; "
    near = f"{f.x86('add')} %g, %f, {f.constant(WHOLE[f.bits])} ; {f.x86('sub')} %g, %g, {f.constant(WHOLE[f.bits])} ; "
    signed = f"{xor} %h, %f, %u ; {or_} %g, %g, %h ; "  # %h is the sign
    for op, imm in ROUNDING.items():
        tile(f"{op}-{k}-round", f"({op}.{k} u)", f"{f.x86('round')} %d, %u, {imm}", 8, needs=f.needs or "sse4.1")
        if f.width:
            continue
        if op == "nearest":
            steps = near + signed
        elif op == "trunc":
            steps = near + f"{f.x86('cmp')} %i, %f, %g, 1 ; {and_} %i, %i, {f.splat(ONE[f.bits])} ; "
            steps += f"{f.x86('sub')} %g, %g, %i ; {signed}"
        else:
            less, greater, fix = ("%u", "%g", "sub") if op == "floor" else ("%g", "%u", "add")
            steps = near + signed + f"{f.x86('cmp')} %i, {less}, {greater}, 1 ; {and_} %i, %i, {f.splat(ONE[f.bits])} ; "
            steps += f"{f.x86(fix)} %g, %g, %i ; {or_} %g, %g, %h ; "
        small = f"{f.x86('cmp')} %i, %f, {f.constant(WHOLE[f.bits])}, 1 ; {f.x86('add')} %f, %u, {f.constant(SIGN[f.bits])} ; "
        blend = f"{and_} %g, %g, %i ; {andn} %i, %i, %f ; {or_} %d, %g, %i"
        tile(f"{op}-{k}", f"({op}.{k} u)", size + steps + small + blend, 14)


def fused(f: Format) -> None:
    """Multiplication and addition rounded once: 231 adds a product to its destination, 213 multiplies its destination.

    The forms that negate are of no use: they leave the sign of a NaN as it is, which `fneg` turns around.
    """
    k = f.class_
    needs = f.needs if f.width == "512" else "fma"
    copy = f"vmovaps{f.width} %d, "
    one, two = f"vfmadd231{f.suffix}{f.width}", f"vfmadd213{f.suffix}{f.width}"
    tile(f"fma-{k}", f"(fma.{k} u p w)", f"{copy}%w ; {one} %d, %u, %p", 4, needs=needs)
    tile(f"fma-213-{k}", f"(fma.{k} u v p)", f"{copy}%u ; {two} %d, %v, %p", 3, "type(p) is int or d is u", needs)
    load = f"(load.{f'v{f.width or 128}' if f.suffix[0] == 'p' else k} m)"
    full = "T.bits > 64" if f.suffix[0] == "p" else ""
    tile(f"fma-{k}-memory", f"(fma.{k} u {load} w)", f"{copy}%w ; {one} %d, %u, %m", 4, full, needs)
    tile(f"fma-213-{k}-memory", f"(fma.{k} u v {load})", f"{copy}%u ; {two} %d, %v, %m", 5, full, needs)


# Memory, copies, constants

for _f in SCALARS:
    _k, _move_x86, _mov = _f.class_, f"mov{_f.suffix}", "mov" if _f.bits == 64 else "mov32"
    tile(f"load-{_k}", f"(load.{_k} m)", f"{_move_x86} %d, %m")
    tile(f"store-{_k}", f"(store.{_k} m u)", f"{_move_x86} %m, %u")
    tile(f"store-constant-{_k}", f"(store.{_k} m t)", f"{_mov} %m, %t", 0, "type(t) is int")
    tile(f"constant-{_k}", f"(copy.{_k} c)", f"{_move_x86} %d, pool {_f.bits // 8} {{c}}", 0)
tile("copy-float", "(copy.float u)", "movaps %d, %u")

# Arithmetic

for _f in SCALARS:
    arithmetic(_f)
    fused(_f)
    _k = _f.class_
    for _op, _x86 in (("fadd", "add"), ("fsub", "sub"), ("fmul", "mul"), ("fdiv", "div")):
        tile(f"{_op}-{_k}-memory", f"({_op}.{_k} u (load.{_k} m))", f"{_f.x86(_x86)} %d, %u, %m", 4)

# Comparisons.  `ucomisd` raises carry, zero and parity for a NaN, so that `ja` and `jae` are false then.

for _f in SCALARS:
    _k, _sd = _f.class_, _f.suffix
    for _op, _pattern, _operands, _yes, _no in (
        ("flt", "p v", "%v, %p", "a", "be"),
        ("fle", "p v", "%v, %p", "ae", "b"),
        ("fgt", "u p", "%u, %p", "a", "be"),
        ("fge", "u p", "%u, %p", "ae", "b"),
    ):
        _compare = f"ucomi{_sd} {_operands} ; "
        tile(f"{_op}-{_k}", f"({_op}.{_k} {_pattern})", _compare + f"set{_yes} %d ; movzx8 %d, %d", 5)
        tile(f"branch-{_op}-{_k}", f"(br-if.any ({_op}.{_k} {_pattern}))", _compare + f"j{_yes}/j{_no} :l", 4)
        tile(
            f"select-int-{_op}-{_k}", f"(select.int ({_op}.{_k} {_pattern}) y s)", f"%d <- %s ; {_compare}cmov{_yes} %d, %y", 5
        )
        _pattern = _pattern.replace("p", f"(load.{_k} m)")
        _compare = f"ucomi{_sd} {_operands.replace('%p', '%m')} ; "
        tile(f"branch-{_op}-{_k}-memory", f"(br-if.any ({_op}.{_k} {_pattern}))", _compare + f"j{_yes}/j{_no} :l", 4)
        tile(f"{_op}-{_k}-memory", f"({_op}.{_k} {_pattern})", _compare + f"set{_yes} %d ; movzx8 %d, %d", 5)
    _compare = f"ucomi{_sd} %u, %p ; "
    _equal, _differ = "jp :over ; je :l ; :over", "jp :l ; jne :l"
    for _op, _set, _with, _taken, _else in (("feq", "e", "and", _equal, _differ), ("fne", "ne", "or", _differ, _equal)):
        _parity = "np" if _op == "feq" else "p"
        _both = f"set{_parity} %a ; set{_set} %b ; {_with} %a, %b ; movzx8 %d, %a"
        tile(f"{_op}-{_k}", f"({_op}.{_k} u p)", _compare + _both, 6)
        tile(f"branch-{_op}-{_k}", f"(br-if.any ({_op}.{_k} u p))", _compare + _taken, 5, "not negate")
        tile(f"branch-not-{_op}-{_k}", f"(br-if.any ({_op}.{_k} u p))", _compare + _else, 5, "negate")

# Selection: by a mask that a comparison makes, or that is made of a bool

for _f in SCALARS:
    _k, _p = _f.class_, _f.packed
    _mask = f"%a <- %x ; neg %a ; {'movq' if _f.bits == 64 else 'movd'} %f, %a ; "
    _blend = "andps %g, %f, %u ; andnps %f, %f, %v ; orps %d, %g, %f"
    tile(f"select-{_k}", f"(select.{_k} x u v)", _mask + _blend, 7)
    tile(f"select-{_k}-blend", f"(select.{_k} x u v)", _mask + f"vblendv{_p} %d, %v, %u, %f", 5, needs="avx")
    for _op, _first, _second, _predicate in (
        ("flt", "u", "v", 1), ("fle", "u", "v", 2), ("fgt", "v", "u", 1),
        ("fge", "v", "u", 2), ("feq", "u", "v", 0), ("fne", "u", "v", 4),
    ):  # fmt: skip
        for _kind in ("f64", "f32"):
            _compare = f"cmps{_kind[1] == '6' and 'd' or 's'} %f, %{_first}, %{_second}, {_predicate} ; "
            if _kind != _k:
                continue  # a mask of another width does not choose
            _pattern = f"(select.{_k} ({_op}.{_kind} u v) w u2)"
            _blend = "andps %g, %f, %w ; andnps %f, %f, %u2 ; orps %d, %g, %f"
            tile(f"select-{_op}-{_k}", _pattern, _compare + _blend, 6)
            tile(f"select-{_op}-{_k}-blend", _pattern, _compare + f"vblendv{_p} %d, %u2, %w, %f", 4, needs="avx")
    for _op, _order, _x86, _operands in (
        ("flt", "u v", "min", "%u, %v"), ("fgt", "u v", "max", "%u, %v"),
        ("flt", "v u", "max", "%v, %u"), ("fgt", "v u", "min", "%v, %u"),
    ):  # fmt: skip
        _name = f"{_x86}-of-{_op}-{_k}"
        tile(_name, f"(select.{_k} ({_op}.{_k} u v) {_order})", f"{_f.x86(_x86)} %d, {_operands}", 2)
