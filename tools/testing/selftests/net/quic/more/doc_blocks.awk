# SPDX-License-Identifier: GPL-2.0
# Turns each C block of quic.rst into a function, for doc.c.

function close_block()
{
	if (open)
		print "}\n"
	open = 0
}

/^\.\. code-block:: c$/ {
	close_block()
	printf "static void doc_block_%d(void)\n{\n", ++n
	open = 1
	next
}
open && /^[^ ]/ { close_block() }
open { sub(/^  /, ""); print }
END {
	close_block()
	print "#define DOC_BLOCKS", n
}
