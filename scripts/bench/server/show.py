"""A column as a tree, to see what its rows are made of.

  show.py DIRECTORY N [LEAST]

A line is: instructions a packet, below it and its own in userspace and in the kernel,
calls a packet, the function and its file.  Functions with less than LEAST instructions
a packet (20) are left out.
"""
import sys

import tree


def add_up(node):
    node.all = node.user + node.kernel + sum(add_up(child) for child in node.children)
    return node.all


def show(nodes, depth, packets, least):
    same = {}           # function, wherever among these it was called
    for node in nodes:
        same.setdefault((node.function, node.file), []).append(node)
    for (function, file), group in sorted(same.items(), key=lambda s: -sum(n.all for n in s[1])):
        of = {name: sum(getattr(n, name) for n in group) / packets
              for name in ('all', 'user', 'kernel', 'calls')}
        if of['all'] >= least:
            print('{all:8.1f}{user:8.1f}{kernel:8.1f}{calls:8.3f} '.format(**of)
                  + '  ' * depth + f'{function} [{file}]')
            show([child for n in group for child in n.children], depth + 1, packets, least)


def main(directory, n, least=20):
    sys.setrecursionlimit(10000)
    process = tree.Process(f'{directory}/maps.{n}', f'{directory}/programs',
                           f'{directory}/kallsyms.{n}')
    root, _ = tree.load(f'{directory}/calls.{n}', process)
    add_up(root)
    with open(f'{directory}/packets.{n}') as f:
        show([root], 0, int(f.read()), float(least))


main(*sys.argv[1:])
