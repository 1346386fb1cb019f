# shellcheck shell=bash
# What in a kernel's log is a failure, for boot.sh and deb-try.sh.

# Sign of trouble in a kernel log. Lockdep's reports are BUGs or WARNINGs, but
# for the one that it has given up.
TROUBLE='BUG:|BUG at|BUG [^ ]+ \(|WARNING:|Oops|Kernel panic|KASAN:|UBSAN:|unreferenced object'
TROUBLE+='|scheduling while atomic|sleeping function called|refcount_t:'
TROUBLE+='|unregister_netdevice: waiting|rcu: INFO:|detected stall'
TROUBLE+='|Kernel mode fault|general protection fault|blocked for more than'
TROUBLE+='|possible (circular|recursive) locking|inconsistent lock state'
TROUBLE+='|suspicious RCU usage|turning off the locking correctness validator'
TROUBLE+='|Attempt to release alive inet socket|ODEBUG:|ref_tracker: |kmemleak: .*disabled'
TROUBLE+='|SMP disabled'	# races would go unnoticed
# The tracing core warns when it has no memory for the events of a module, once. To load
# the module with no memory is what that test is for.
PROVOKED='kernel/trace/trace_events\.c:[0-9]+ at event_define_fields.*: fail_nth_module/'

# trouble LOG: lines of it; fails if there are none
trouble() {
	awk -f "$ROOT/scripts/kcsan.awk" "$1" | grep -nE "$TROUBLE" | grep -vE "$PROVOKED"
}
