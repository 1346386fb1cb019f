# A kernel log without KCSAN's reports of data races that are not ours, line
# numbers unchanged. KCSAN watches all of the kernel, which has races of its own.
#
# A report names two accesses, or one, each with its stack. It is ours if one of
# the accesses is made by a function of net/quic, udp_ulp.c or netdevsim's quic.c, or by
# a helper that works on its caller's memory. An access of UDP's is UDP's, even below
# quic_sendmsg().

function helper(name) {
	return name ~ /^_*(tsan_)?(mem(cpy|move|set|cmp|chr)|copy_|csum_|rhashtable_|rht_)/ ||
		name ~ /^_*(aes|gcm|chacha|poly1305|crypto|aead|skcipher|scatterwalk)_/ ||
		name ~ /^_*(refcount_|atomic|kmalloc|kfree|kmem_cache_|memzero)/
}

function end_of_report(	i) {
	if (!ours)
		for (i = first; i <= n; i++)
			line[i] = ""
	foreign += !ours
	inside = 0
}

{ line[++n] = $0; sub(/\r$/, ""); sub(/^\[ *[0-9.]+\] /, "") }
/^BUG: KCSAN: / { inside = 1; first = n; ours = access = 0; next }
!inside { next }
/^=+$/ { end_of_report(); next }
/^(read|write|race|assert)/ { access = 1; next }
access && /\+0x[0-9a-f]+\// {
	name = $1
	sub(/\+0x.*/, "", name)
	if (helper(name))
		next
	access = 0
	if (name ~ /^(quic_|udp_.*ulp|nsim_(do_)?quic)/)
		ours = 1
}

END {
	if (inside)
		end_of_report()
	for (i = 1; i <= n; i++)
		print line[i]
	if (foreign)
		print foreign " data races of others are in the log" > "/dev/stderr"
}
