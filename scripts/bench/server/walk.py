"""Instructions that a function of the kernel executes, from its disassembly.

QEMU has no VAES: what the kernel's fastest AES-GCM would execute can only be computed.
Where these functions branch depends on lengths alone.  So it is enough to follow what
happens to the general registers and pass over the vectors; data from memory is not
known (None), nor is what is made of it, and a branch on that is an error.  The
functions are called with (key, counter, hash, source, destination, length); of memory
only the length of the AES key is known.
"""
import functools
import re
import subprocess

KEY = 1 << 32           # where the key is, so to say; first in it is its length
AES_128 = 16
ARGUMENTS = 'rdi rsi rdx rcx r8 r9'.split()
M64, M32 = (1 << 64) - 1, (1 << 32) - 1

NAMES = {}              # of a register: the one of 64 bits it is of, and its mask
for r in 'ax bx cx dx si di bp sp'.split():
    NAMES['%r' + r], NAMES['%e' + r] = ('r' + r, M64), ('r' + r, M32)
for n in range(8, 16):
    NAMES[f'%r{n}'], NAMES[f'%r{n}d'] = (f'r{n}', M64), (f'r{n}', M32)

# When they jump: by the flags zero, less (sign and overflow), below (carry)
JUMPS = {
    'jmp': lambda z, l, b: True,
    'je': lambda z, l, b: z, 'jne': lambda z, l, b: not z,
    'jl': lambda z, l, b: l, 'jge': lambda z, l, b: not l,
    'jg': lambda z, l, b: not l and not z, 'jle': lambda z, l, b: l or z,
    'jb': lambda z, l, b: b, 'jae': lambda z, l, b: not b,
    'ja': lambda z, l, b: not b and not z, 'jbe': lambda z, l, b: b or z,
}
COPIES = {
    'mov': lambda a: a, 'movzb': lambda a: a, 'movzw': lambda a: a,
    'movabs': lambda a: a, 'lea': lambda a: a,
    'bzhi': lambda n, a: a & (1 << min(n & 255, 64)) - 1,
}
# These set flags.
COMPUTES = {
    'add': lambda a, b: b + a, 'sub': lambda a, b: b - a, 'cmp': lambda a, b: b - a,
    'and': lambda a, b: b & a, 'test': lambda a, b: b & a, 'or': lambda a, b: b | a,
    'xor': lambda a, b: b ^ a, 'shl': lambda a, b: b << a, 'neg': lambda a: -a,
}


class Function:
    def __init__(self, objects, name):
        text = subprocess.run(['objdump', '-d', '--no-show-raw-insn',
                               f'--disassemble={name}', objects],
                              capture_output=True, text=True, check=True).stdout
        self.name = name
        self.code = []          # mnemonic and operands
        self.at = {}            # of an address the index in it
        for line in text.splitlines():
            m = re.match(r'\s*([0-9a-f]+):\t(?:data16 |bnd |cs )*(\S+)\s*([^#<]*)', line)
            if m:
                self.at[int(m[1], 16)] = len(self.code)
                operands = re.findall(r'[^\s,()]*\([^)]*\)|[^\s,]+', m[3])
                self.code.append((m[2], operands))
        if not self.code:
            raise SystemExit(f'there is no {name}() in {objects}')

    @functools.cache
    def executed(self, length):
        """how many instructions, for a packet of that length"""
        self.regs = {reg: None for reg, _ in NAMES.values()}
        for i, reg in enumerate(ARGUMENTS):
            self.regs[reg] = KEY * (i + 1)
        self.regs['r9'] = length
        self.flags = None
        i = count = 0
        while True:
            op, args = self.code[i]
            i += 1
            count += 1
            if op == 'ret':
                return count
            if op == 'jmp' and int(args[0], 16) not in self.at:
                return count + 1        # to a thunk that returns
            if op in JUMPS:
                if op != 'jmp' and not self.flags:
                    raise SystemExit(f'{self.name}() branches on what is not known')
                if JUMPS[op](*(self.flags or (0, 0, 0))):
                    i = self.at[int(args[0], 16)]
            elif args:
                self.execute(op, args)

    def execute(self, op, args):
        if op not in COPIES and op not in COMPUTES and op[-1] in 'lq':
            op = op[:-1]
        *sources, dest = args
        general = not re.search('%[xyz]mm|%k', ' '.join(args))
        value = None
        mask = NAMES[dest][1] if dest in NAMES else M64
        if op in COPIES and general:
            known = [self.address(a) if op == 'lea' else self.get(a) for a in sources]
            if None not in known:
                value = COPIES[op](*known)
        elif general:
            self.flags = None
            known = [self.get(a) for a in args]
            if op == 'xor' and args[0] == args[1]:
                known = [0, 0]
            if op in COMPUTES and None not in known:
                known = [k & mask for k in known]
                value = COMPUTES[op](*known)
                self.flags = self.flags_of(op, value, known, mask)
        if dest in NAMES and op not in ('cmp', 'test'):
            self.regs[NAMES[dest][0]] = None if value is None else value & mask

    @staticmethod
    def flags_of(op, value, known, mask):
        top = (mask >> 1) + 1
        if op in ('sub', 'cmp'):
            by, old = known
            return old == by, old ^ top < by ^ top, old < by
        return value & mask == 0, value & top != 0, False

    def address(self, arg):
        m = re.fullmatch(r'(-?(?:0x)?[0-9a-f]*)\((%\w+)?(?:,(%\w+),(\d))?\)', arg)
        parts = [int(m[1] or '0', 16)]
        if m[2]:
            parts.append(self.get(m[2]))
        if m[3]:
            index = self.get(m[3])
            parts.append(None if index is None else index * int(m[4]))
        return None if None in parts else sum(parts) & M64

    def get(self, arg):
        if arg[0] == '$':
            return int(arg[1:], 16) & M64
        if arg in NAMES:
            reg, mask = NAMES[arg]
            return None if self.regs[reg] is None else self.regs[reg] & mask
        if '(' in arg and self.address(arg) == KEY:
            return AES_128
        return None


@functools.cache
def function_of(objects, name):
    return Function(objects, name)
