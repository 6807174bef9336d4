"""What a SHUFFLE becomes: the shortest of the target's instructions that put the lanes there, and where none does, pieces.

Lanes are looked at as bytes: the result is a list of `(operand, byte of it)`, None where anything may stand.  Registers of 128
bits are shuffled by what `_small` finds; a longer result is made of such, but for what AVX2 and AVX-512 do on whole registers.
"""

from __future__ import annotations

from septet.l3.nodes import Variable
from septet.x86 import forms
from septet.x86.instructions import Instruction, Pool
from septet.x86.targets import FEATURES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from septet.l3 import nodes as l3
    from septet.l3.trees import Selection
    from septet.x86.instructions import Variable as Virtual

    Byte = tuple[int, int] | None  # of which operand, which byte

SSSE3, SSE41, AVX2 = FEATURES["ssse3"], FEATURES["sse4.1"], FEATURES["avx2"]
AVX512 = FEATURES["avx512bw"] | FEATURES["avx512vl"]
ZERO = -1  # the operand of bytes that are 0
ZEROS = 99  # a register of zeros, as any other operand


def select(s: Selection, i: l3.Instruction, at: int) -> None:
    """Select for a SHUFFLE."""
    assert i.target is not None and type(i.args[2]) is int
    unit = i.type.element.bits // 8
    lanes = i.args[2].to_bytes(i.target.type.lanes, "little")
    a, b, _ = i.args
    wanted: list[Byte] = []
    for lane in lanes:
        source, index = divmod(lane, i.type.lanes)
        operand = (a, b)[source]
        if operand == 0 and type(operand) is int:
            source = ZERO
        elif source == 1 and a is b:
            source = 0
        wanted += [(source, index * unit + n) for n in range(unit)]
    emitter = _Emitter(s, i)
    for source in (0, 1):
        if any(byte is not None and byte[0] == source for byte in wanted):
            operand = i.args[source]
            emitter.sources[source] = s.regs[operand] if type(operand) is Variable else s.float(operand, i.type)
    size = max(i.type.bits, 128) // 8
    emitter.finish(emitter.whole(wanted + [None] * (-len(wanted) % 16), size), i.target.type.bits)


class _Emitter:
    """Emits for one instruction: what it makes is new variables; the last is copied to the target."""

    __slots__ = ("s", "i", "code", "sources", "zeros")

    def __init__(self, s: Selection, i: l3.Instruction) -> None:
        self.s = s
        self.i = i
        self.code: list[Instruction] = []
        self.sources: dict[int, Virtual] = {}
        self.zeros: Virtual | None = None

    def finish(self, found: Virtual, bits: int) -> None:
        """Put what was found into the target."""
        assert self.i.target is not None
        target = self.s.regs[self.i.target]
        if found is not target:
            self.code.append(Instruction(self.s.move(self.i.target.type), (target, found), self.i.span))
        self.s.out.extend(reversed(self.code))

    def emit(self, name: str, *operands: Virtual | Pool | int) -> Virtual:
        """An instruction with a new result; `name` is SSE's, or AVX's own with its `v`."""
        made = self.s.vector()
        span = self.i.span
        if name[0] == "v" or self.s.vex:
            op = forms.op(name if name[0] == "v" else "v" + name)
            if op.access[0] == "rw":
                move = f"vmovaps{name[-3:]}" if name[-3:] in ("256", "512") else "vmovaps"
                self.code.append(Instruction(forms.op(move), (made, operands[0]), span))
                operands = operands[1:]
        else:
            op = forms.op(name)
            if op.access[0] == "rw":
                self.code.append(Instruction(forms.MOVAPS, (made, operands[0]), span))
                operands = operands[1:]
        self.code.append(Instruction(op, (made, *operands), span))
        return made

    def constant(self, content: bytes) -> Virtual:
        """A constant in a register."""
        made = self.s.vector()
        size = len(content)
        name = f"vmovups{size * 8}" if size > 16 else "vmovups" if self.s.vex else "movups"
        self.code.append(Instruction(forms.op(name), (made, Pool(content)), self.i.span))
        return made

    def source(self, number: int) -> Virtual:
        """An operand; zeros where the number says so."""
        if number == ZERO:
            if self.zeros is None:
                self.zeros = self.constant(bytes(16))
            return self.zeros
        return self.sources[number]

    # Any size

    def whole(self, wanted: list[Byte], size: int) -> Virtual:
        """The vector of these bytes, from operands in registers of `size` bytes."""
        used = sorted({byte[0] for byte in wanted if byte})
        for number in used:
            if number != ZERO and all(byte is None or byte == (number, n) for n, byte in enumerate(wanted)):
                return self.source(number)
        if len(wanted) == 16 and size == 16:
            return self.small(wanted, {number: number for number in used})
        found = self._with_zeros(wanted, size, used) if ZERO in used else self._long(wanted, size, used)
        if found is not None:
            return found
        return self._pieces(wanted, size)

    def _long(self, wanted: list[Byte], size: int, used: list[int]) -> Virtual | None:
        """By one instruction on whole registers, perhaps with its indices from memory."""
        first = next(byte for byte in wanted if byte)
        for unit, letter in ((8, "q"), (4, "d"), (2, "w"), (1, "b")):
            group = _groups(wanted, unit)
            if group and len(used) == 1 and all(byte in (None, (first[0], 0)) for byte in group):
                width = "" if len(wanted) == 16 else str(8 * len(wanted))
                return self.emit(f"vpbroadcast{letter}{width}", self.source(first[0]))
        if len(wanted) == 16 and len({(byte[0], byte[1] // 16) for byte in wanted if byte}) == 1:
            return None  # one piece has them all
        length = max(len(wanted), size)
        padded = wanted + [None] * (length - len(wanted))
        if length == 32:
            found = self._halves(padded, size, used) or self._in_halves(padded, used)
            if found is not None:
                return found
        return self._permuted(padded, size, used, 8 * length)

    def _with_zeros(self, wanted: list[Byte], size: int, used: list[int]) -> Virtual | None:
        """Lanes of one register and zeros: moved up or down by whole lanes, or by indices.  AVX-512 alone has that."""
        if self.s.features & AVX512 != AVX512 or len(used) != 2 or len(wanted) < size:
            return None
        self.sources[ZEROS] = self.source(ZERO)
        filled = [(ZEROS, n) if byte and byte[0] == ZERO else byte for n, byte in enumerate(wanted)]
        number, bits = used[1], 8 * size
        for unit, letter in ((8, "q"), (4, "d")):
            group = _groups(filled, unit)
            count = size // unit
            for shift in range(1, count) if group else ():
                for low, high in ((ZEROS, number), (number, ZEROS)):
                    line = [(low, n) for n in range(count)] + [(high, n) for n in range(count)]
                    there = line[shift : shift + count]
                    if all(b is None or b == at or b[0] == at[0] == ZEROS for b, at in zip(group or (), there, strict=True)):
                        width = str(bits) if bits > 128 else ""
                        return self.emit(f"valign{letter}{width}", self.source(high), self.source(low), shift)
        return self._permuted(filled, size, [number, ZEROS], bits) if size > 16 else None

    def _halves(self, wanted: list[Byte], size: int, used: list[int]) -> Virtual | None:
        """Halves of 128 bits put together."""
        group = _groups(wanted, 16)
        if group is None:
            return None
        low, high = (byte or (used[0], 0) for byte in group)
        if low[1] == 0 and high[1] == 0 or size == 16:
            return self.emit("vinserti128", self.source(low[0]), self.source(high[0]), 1)
        if low[1] == 0 and high[1] == 1 and high[0] != low[0]:
            return self.emit("vpblendd256", self.source(low[0]), self.source(high[0]), 0xF0)
        first, last = self.source(used[0]), self.source(used[-1])
        select = [2 * (half[0] != used[0]) + half[1] for half in (low, high)]
        return self.emit("vperm2i128", first, last, select[0] | select[1] << 4)

    def _in_halves(self, wanted: list[Byte], used: list[int]) -> Virtual | None:
        """The same in both halves of 256 bits, or each byte from its own place or half."""
        fours = _groups(wanted, 4)
        if len(used) == 2 and fours and all(byte is None or byte[1] == n for n, byte in enumerate(fours)):
            mask = sum([(byte is not None and byte[0] == used[1]) << n for n, byte in enumerate(fours)])
            return self.emit("vpblendd256", self.source(used[0]), self.source(used[1]), mask)
        if any(byte is not None and byte[1] // 16 != n // 16 for n, byte in enumerate(wanted)):
            return None
        if len(used) == 1:
            if fours:
                low, high = ([byte and byte[1] % 4 for byte in fours[k : k + 4]] for k in (0, 4))
                both = [x if x is not None else y for x, y in zip(low, high, strict=True)]
                if all(y is None or y == z for y, z in zip(high, both, strict=True)):
                    return self.emit("vpshufd256", self.source(used[0]), _immediate(both))
            order = bytes([byte[1] % 16 if byte else 0x80 for byte in wanted])
            return self.emit("vpshufb256", self.source(used[0]), Pool(order))
        for start, unit in ((0, 1), (0, 2), (0, 4), (0, 8), (8, 1), (8, 2), (8, 4), (8, 8)):
            for first, last in (used, used[::-1]):
                places = [
                    ((first, last)[n // unit % 2], n // 16 * 16 + start + n % 16 // (2 * unit) * unit + n % unit)
                    for n in range(32)
                ]
                if all(byte is None or byte == place for byte, place in zip(wanted, places, strict=True)):
                    letters = {1: "bw", 2: "wd", 4: "dq", 8: "qdq"}[unit]
                    return self.emit(f"vpunpck{'h' if start else 'l'}{letters}256", self.source(first), self.source(last))
        return None

    def _permuted(self, wanted: list[Byte], size: int, used: list[int], bits: int) -> Virtual | None:
        """By indices: AVX2 has that for 32 and 64 bits of one register, AVX-512 for 16 too and for two."""
        wide = self.s.features & AVX512 == AVX512
        for unit, letter in ((8, "q"), (4, "d"), (2, "w")):
            group = _groups(wanted, unit)
            if group is None or not wide and (unit == 2 or len(used) > 1):
                continue
            if bits == 256 and unit == 8 and len(used) == 1:
                return self.emit("vpermq256", self.source(used[0]), _immediate([byte and byte[1] for byte in group]))
            count = bits // 8 // unit
            index = b"".join(
                [((byte[1] + count * (byte[0] != used[0])) if byte else 0).to_bytes(unit, "little") for byte in group]
            )
            if len(used) == 1:
                if bits == 128:
                    return None
                name = f"vpermqv{bits}" if unit == 8 else f"vperm{letter}{bits}"
                return self.emit(name, self.constant(index), self.source(used[0]))
            width = "" if bits == 128 else str(bits)
            return self.emit(f"vpermt2{letter}{width}", self.source(used[0]), self.constant(index), self.source(used[1]))
        return None

    def _pieces(self, wanted: list[Byte], size: int) -> Virtual:
        """128 bits at a time."""
        taken: dict[tuple[int, int], Virtual] = {}
        found: Virtual | None = None
        for start in range(0, len(wanted), 16):
            piece = wanted[start : start + 16]
            used = list(dict.fromkeys([(byte[0], byte[1] // 16 if byte[0] != ZERO else 0) for byte in piece if byte]))
            names: dict[int, int] = {}
            local: list[Byte] = []
            for byte in piece:
                if byte is None or byte[0] == ZERO:
                    local.append(byte)
                    continue
                of = byte[0], byte[1] // 16
                local.append((100 + used.index(of), byte[1] % 16))
                if of not in taken:
                    taken[of] = self._taken(*of, size)
                self.sources[100 + used.index(of)] = taken[of]
            made = self.small(local, names)
            if start == 0:
                found = made
                continue
            assert found is not None
            insert = "vinserti128" if len(wanted) == 32 else "vinserti32x4"
            found = self.emit(insert, found, made, start // 16)
        assert found is not None
        return found

    def _taken(self, number: int, piece: int, size: int) -> Virtual:
        """128 bits of an operand."""
        if piece == 0:
            return self.source(number)
        return self.emit("vextracti128" if size == 32 else "vextracti32x4", self.source(number), piece)

    # 128 bits

    def small(self, wanted: list[Byte], names: dict[int, int]) -> Virtual:
        """The 16 bytes wanted, from sources of 16 bytes."""
        used = sorted({byte[0] for byte in wanted if byte})
        if not used:
            return self.source(next(iter(self.sources), ZERO))
        if len(used) > 2 or ZERO in used and self.s.features & SSSE3 and len(used) > 1:
            return self._bytes(wanted, used)
        first = used[0]
        if all(byte is None or byte == (first, n) for n, byte in enumerate(wanted)):
            return self.source(first)
        return self._quads(wanted, used) or self._words(wanted, used) or self._bytes(wanted, used)

    def _quads(self, wanted: list[Byte], used: list[int]) -> Virtual | None:
        """By 64 or 32 bits."""
        eights = _groups(wanted, 8)
        if eights and len(used) == 2:
            low, high = (byte or (used[0], 0) for byte in eights)
            return self.emit("shufpd", self.source(low[0]), self.source(high[0]), low[1] | high[1] << 1)
        fours = _groups(wanted, 4)
        if not fours:
            return None
        if len(used) == 1:
            return self.emit("pshufd", self.source(used[0]), _immediate([byte and byte[1] for byte in fours]))
        for first, last in (used, used[::-1]):
            if all(byte is None or byte[0] == (first, last)[n // 2] for n, byte in enumerate(fours)):
                imm = _immediate([byte and byte[1] for byte in fours])
                return self.emit("shufps", self.source(first), self.source(last), imm)
        found = self._interleaved(wanted, used)
        if found is not None:
            return found
        if self.s.features & SSSE3 and not all(byte is None or byte[1] == n for n, byte in enumerate(fours)):
            return None
        parts = []
        for number in used:
            own: list[int | None] = [byte[1] if byte and byte[0] == number else n for n, byte in enumerate(fours)]
            is_same = own == [0, 1, 2, 3]
            parts.append(self.source(number) if is_same else self.emit("pshufd", self.source(number), _immediate(own)))
        if self.s.features & SSE41:
            mask = sum([(byte is not None and byte[0] == used[1]) << n for n, byte in enumerate(fours)])
            return self.emit("blendps", parts[0], parts[1], mask)
        mask_bytes = Pool(b"".join([(b"\xff" if byte and byte[0] == used[0] else b"\0") * 4 for byte in fours]))
        rest = Pool(bytes([255 - byte for byte in mask_bytes]))
        return self.emit("por", self.emit("pand", parts[0], mask_bytes), self.emit("pand", parts[1], rest))

    def _interleaved(self, wanted: list[Byte], used: list[int]) -> Virtual | None:
        """Lanes of two registers in turn, of their lower or their upper halves."""
        for unit, letters in ((1, "bw"), (2, "wd"), (4, "dq")):
            for low in (0, 8):
                for first, last in ((used[0], used[-1]), (used[-1], used[0])):
                    places = [((first, last)[n // unit % 2], low + n // (2 * unit) * unit + n % unit) for n in range(16)]
                    fits = [
                        byte is None or byte == place or byte[0] == place[0] == ZERO
                        for byte, place in zip(wanted, places, strict=True)
                    ]
                    if all(fits):
                        name = f"punpck{'h' if low else 'l'}{letters}"
                        return self.emit(name, self.source(first), self.source(last))
        return None

    def _words(self, wanted: list[Byte], used: list[int]) -> Virtual | None:
        """By 16 bits of one register, where four of them stay; or interleaved."""
        found = self._interleaved(wanted, used)
        if found is not None:
            return found
        twos = _groups(wanted, 2)
        if twos and len(used) == 1:
            for name, start in (("pshuflw", 0), ("pshufhw", 4)):
                moved, kept = twos[start : start + 4], twos[4 - start : 8 - start]
                stays = all(byte is None or byte[1] == 4 - start + n for n, byte in enumerate(kept))
                if stays and all(byte is None or start <= byte[1] < start + 4 for byte in moved):
                    imm = _immediate([byte and byte[1] - start for byte in moved])
                    return self.emit(name, self.source(used[0]), imm)
        if len(used) == 2 and ZERO not in used and self.s.features & SSSE3:
            for low, high in (used, used[::-1]):
                for shift in range(1, 16):
                    line = [(low, n) for n in range(16)] + [(high, n) for n in range(16)]
                    if all(byte is None or byte == line[n + shift] for n, byte in enumerate(wanted)):
                        return self.emit("palignr", self.source(high), self.source(low), shift)
        return None

    def _bytes(self, wanted: list[Byte], used: list[int]) -> Virtual:
        """Any bytes: each register's where they belong and zeros elsewhere, joined; in SSE2 by way of general registers."""
        if not self.s.features & SSSE3:
            return self._by_words(wanted)
        found: Virtual | None = None
        for number in used:
            if number == ZERO:
                continue
            mask = Pool(bytes([byte[1] if byte and byte[0] == number else 0x80 for byte in wanted]))
            part = self.emit("pshufb", self.source(number), mask)
            found = part if found is None else self.emit("por", found, part)
        return found or self.source(ZERO)

    def _by_words(self, wanted: list[Byte]) -> Virtual:
        found = self.source(ZERO)
        for n in range(8):
            low, high = wanted[2 * n], wanted[2 * n + 1]
            if not low and not high or low and high and low[0] == ZERO == high[0]:
                continue
            word = self._byte_pair(low, high)
            made = self.s.vector()
            self._append(forms.MOVAPS, made, found)
            self._append(forms.op("pinsrw"), made, word, n)
            found = made
        return found

    def _byte_pair(self, low: Byte, high: Byte) -> Virtual:
        """A general register with two bytes of vector registers in it."""
        if low and high and low[0] == high[0] and low[1] % 2 == 0 and high[1] == low[1] + 1:
            return self._word_at(low)
        made: Virtual | None = None
        for byte, place in ((low, 0), (high, 8)):
            if byte is None or byte[0] == ZERO:
                continue
            part = self._word_at(byte)
            if byte[1] % 2:
                self._append(forms.SHR, part, 8)
            else:
                self._append(forms.AND, part, 255)
            if place:
                self._append(forms.SHL, part, place)
            if made is None:
                made = part
            else:
                self._append(forms.OR, made, part)
        assert made is not None
        return made

    def _word_at(self, byte: tuple[int, int]) -> Virtual:
        made = self.s.general()
        self._append(forms.op("pextrw"), made, self.source(byte[0]), byte[1] // 2)
        return made

    def _append(self, op: forms.Opcode, *operands: Virtual | int) -> None:
        self.code.append(Instruction(op, operands, self.i.span))


def _groups(wanted: list[Byte], unit: int) -> list[Byte] | None:
    """The same by units of so many bytes; None where bytes of one are not together, or an operand is zeros."""
    found: list[Byte] = []
    for start in range(0, len(wanted), unit):
        group = wanted[start : start + unit]
        known = next(((byte[0], byte[1] - n) for n, byte in enumerate(group) if byte), None)
        if known is None:
            found.append(None)
            continue
        source, first = known
        if (
            first % unit
            or source == ZERO
            or any(byte is not None and byte != (source, first + n) for n, byte in enumerate(group))
        ):
            return None
        found.append((source, first // unit))
    return found


def _immediate(places: list[int | None]) -> int:
    """Four places of two bits each."""
    return sum([(n if place is None else place & 3) << 2 * n for n, place in enumerate(places)])
