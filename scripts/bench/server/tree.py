"""A tree of calls, from what callpaths.so has written: which function of which file."""
import bisect
import functools
import os
import re
import subprocess


def lines_of(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.splitlines()


class Symbols:
    """names of addresses, of text only"""

    def __init__(self, lines):
        found = set()
        for line in lines:
            fields = line.split()
            if len(fields) > 2 and fields[1] in 'tTiwW':
                found.add((int(fields[0], 16), fields[2].split('@')[0]))
        self.names = sorted(found)
        self.addresses = [address for address, _ in self.names]

    def find(self, address):
        """the name, and how far behind its start; a stripped library has few names"""
        i = bisect.bisect_right(self.addresses, address) - 1
        return (self.names[i][1], address - self.names[i][0]) if i >= 0 else ('?', address)


class File:
    """an executable or library"""

    def __init__(self, path):
        self.symbols = Symbols(lines_of('nm', '-D', '--defined-only', path) +
                               lines_of('nm', '--defined-only', path))
        self.segments, self.stubs = [], []
        for line in lines_of('readelf', '-lW', path):
            f = line.split()
            if f and f[0] == 'LOAD':
                self.segments.append([int(f[i], 16) for i in (1, 2, 4)])
        for line in lines_of('readelf', '-SW', path):
            m = re.match(r'\s*\[ *\d+\] \.plt\S*\s+\S+\s+(\S+)\s+\S+\s+(\S+)', line)
            if m:
                self.stubs.append((int(m[1], 16), int(m[2], 16)))

    def address(self, offset):
        for start, address, size in self.segments:
            if start <= offset < start + size:
                return offset - start + address
        return offset

    def is_stub(self, address):
        return any(start <= address < start + size for start, size in self.stubs)


@functools.cache
def file_of(path):
    return File(path) if os.path.exists(path) else None


@functools.cache
def kernel_of(kallsyms):
    with open(kallsyms) as lines:
        return Symbols(lines)


class Process:
    """what its addresses mean: its maps, the directory with what is mapped, kallsyms"""

    def __init__(self, maps, directory, kallsyms):
        self.kernel = kernel_of(kallsyms)
        self.maps, self.known = [], {0: ('?', '?')}
        with open(maps) as lines:
            executable = [f for f in map(str.split, lines) if len(f) > 5 and 'x' in f[1]]
        for f in executable:
            start, end = (int(x, 16) for x in f[0].split('-'))
            name = os.path.basename(f[5])
            self.maps.append((start, end, int(f[2], 16), name,
                              file_of(os.path.join(directory, name))))

    def name(self, entry, behind):
        """(file, function) of a call that went to entry, and from a stub on"""
        key = entry, behind
        if key not in self.known:
            self.known[key] = self.find(entry, behind)
        return self.known[key]

    def find(self, entry, behind):
        if entry >> 63:
            return 'kernel', self.kernel.find(entry)[0]
        for start, end, offset, name, file in self.maps:
            if start <= entry < end:
                if not file:
                    return name, '?'
                address = file.address(entry - start + offset)
                if file.is_stub(address) and behind:
                    return self.name(behind, 0)
                symbol, distance = file.symbols.find(address)
                return name, f'{symbol}+{distance:x}' if distance else symbol
        return '?', '?'


class Node:
    """a function, called from those on the way to the root"""

    def __init__(self, file, function, calls, user, kernel):
        self.file, self.function = file, re.sub(r'\.(isra|constprop|part|cold).*', '', function)
        self.calls, self.user, self.kernel = calls, user, kernel
        self.children = []


def load(dump, process):
    """the root, and all instructions"""
    path = []
    with open(dump) as lines:
        total = int(next(lines).split()[1])
        for line in lines:
            f = line.split()
            depth = int(f[0])
            node = Node(*process.name(int(f[1], 16), int(f[2], 16)), *map(int, f[3:]))
            del path[depth:]
            if path:
                path[-1].children.append(node)
            path.append(node)
    return path[0], total
