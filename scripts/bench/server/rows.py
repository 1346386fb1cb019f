"""Which row of the table each instruction of h3_server, h3_client or nginx belongs to.

  rows.py server|client|nginx DIRECTORY VMLINUX

DIRECTORY is what guest.sh and callpaths.so have left. Prints lines of
  packets SIDE COLUMN NUMBER MESSAGES SPREAD
  count   SIDE COLUMN ROW INSTRUCTIONS
  vaes    SIDE COLUMN FUNCTION LENGTH CALLS INSTRUCTIONS
Of transfers of the same name the median one is taken; SPREAD is that of all.  The last
lines are of the AEAD's functions: what was counted, LENGTH is 0 then, and what
those for VAES would have taken.
"""
import collections
import functools
import re
import sys

import tree
import walk

# A call leads into another row if it comes from one of those rows, and goes to such a
# function of a program or library. The rest of it stays where it is.
USER = {
    'server': [
        # from         function                   row
        ('.*',         'h3_socket_receive',       'way'),
        ('glue|http3', 'ngtcp2_.*',               'ngtcp2'),
        ('glue',       'nghttp3_.*',              'http3'),
        ('ngtcp2',     'encrypt|hp_mask',         'crypto'),
    ],
    'client': [
        ('.*',         'h3_conn_tick',            'way'),
        ('glue',       'ngtcp2_.*',               'ngtcp2'),
        ('ngtcp2',     'nghttp3_.*',              'http3'),
        ('http3',      'ngtcp2_.*',               'ngtcp2'),
        ('http3',      'recv_data',               'fwrite'),
        ('fwrite',     'ngtcp2_.*',               'ngtcp2'),
        ('ngtcp2',     'decrypt|hp_mask',         'crypto'),
    ],
    # What takes the place of ngtcp2 is ngx_quic_*(), and HTTP is where all begins.
    'nginx': [
        ('.*',         'ngx_quic_recvmsg',        'way'),
        ('http3',      'ngx_quic_.*',             'ngtcp2'),
        ('way',        'ngx_quic_output',         'ngtcp2'),
        ('ngtcp2',     'quic_offload_.*',         'glue'),
        ('ngtcp2|glue', 'ngx_quic_crypto_seal|EVP_.*', 'crypto'),
    ],
}
BEGIN = {'server': 'glue', 'client': 'glue', 'nginx': 'http3'}
# The same in the kernel, where all begins as 'rest'. 'path' is that of the payload.
KERNEL = {
    'server': [('rest', '___sys_sendmsg', 'path')],
    'client': [('rest', '___sys_recvmsg', 'path'), ('rest', 'vfs_write', 'write')],
    'nginx': [('rest', '___sys_sendmsg', 'path')],
}
PATH = [
    ('.*',                'exc_page_fault|sysvec_.*|common_interrupt', 'rest'),
    ('.*',                '__softirqentry_text_start|handle_softirqs', 'softirq'),
    ('.*',                'nsim_do_quic',                    'device'),
    ('path|quic',         'quic_key_(protect|open|mask)',    'aead'),
    ('path',              'quic_.*',                         'quic'),
    ('quic',              '(__)?(udp|ip)v?[46]?_.*',         'path'),
    ('path|quic',         '_copy_(from|to)_iter|skb_copy_bits|rep_movs_alternative', 'copy'),
]
AEAD = r'aes_gcm_(enc|dec)_update_aesni_avx'
VAES = ['vaes_avx2', 'vaes_avx512']


@functools.cache
def enter(rules, row, function):
    for come_from, name, into in rules:
        if re.fullmatch(come_from, row) and re.fullmatch(name, function):
            return into
    return row


class Count:
    def __init__(self, side):
        self.user, self.kernel = tuple(USER[side]), tuple(KERNEL[side] + PATH)
        self.rows = collections.Counter()
        self.aead = collections.Counter()       # of the AEAD's functions: instructions
        self.calls = collections.Counter()
        self.messages = 0                       # system calls on the payload's path

    def walk(self, node, user, kernel):
        """rows of the code that called it: of a program, and of the kernel"""
        if node.file != 'kernel':
            user, kernel = enter(self.user, user, node.function), 'rest'
            # memcpy() and its like are functions that libc has no names for.
            if user == 'ngtcp2' and node.file.startswith('libc.') and '+' in node.function:
                user = 'memcpy'
        else:
            before, kernel = kernel, enter(self.kernel, kernel, node.function)
            if (before, kernel) == ('rest', 'path'):
                self.messages += node.calls
            if kernel == 'aead' and re.fullmatch(AEAD, node.function):
                self.aead[node.function] += node.kernel
                self.calls[node.function] += node.calls
        self.rows[user] += node.user
        self.rows[kernel] += node.kernel
        for child in node.children:
            self.walk(child, user, kernel)


def vaes(name, calls, counted, vmlinux):
    """lines of that function, as it was counted, and of others in its place"""
    function = walk.function_of(vmlinux, name)
    each = counted / calls
    # The mean is of packets of one length, but for a few.
    length = min(range(1200, 1460), key=lambda n: abs(function.executed(n) - each))
    if abs(function.executed(length) / each - 1) > 0.02:
        sys.exit(f'{name}(): {each:.0f} were counted, but its code makes'
                 f' {function.executed(length)} of {length} bytes')
    yield name, 0, calls, counted
    for other in VAES:
        better = name.replace('aesni_avx', other)
        yield better, length, calls, calls * walk.function_of(vmlinux, better).executed(length)


def main(side, directory, vmlinux):
    sys.setrecursionlimit(10000)
    runs = collections.defaultdict(list)
    with open(f'{directory}/columns') as lines:
        columns = [line.split()[0] for line in lines]
    for n, column in enumerate(columns):
        process = tree.Process(f'{directory}/maps.{n}', f'{directory}/programs',
                               f'{directory}/kallsyms.{n}')
        root, total = tree.load(f'{directory}/calls.{n}', process)
        count = Count(side)
        count.walk(root, BEGIN[side], 'rest')
        if sum(count.rows.values()) != total:
            sys.exit(f'{column}: the rows are not all')
        with open(f'{directory}/packets.{n}') as f:
            packets = int(f.read())
        runs[column].append((total / packets, n, packets, count))
    for column, counts in runs.items():
        counts.sort()
        each, _, packets, count = counts[len(counts) // 2]
        spread = (counts[-1][0] - counts[0][0]) / each
        print('packets', side, column, packets, count.messages, spread, sep='\t')
        for row, instructions in count.rows.items():
            print('count', side, column, row, instructions, sep='\t')
        for name, instructions in count.aead.items():
            for line in vaes(name, count.calls[name], instructions, vmlinux):
                print('vaes', side, column, *line, sep='\t')


main(*sys.argv[1:])
