#!/bin/bash
# Run a command, and write to a directory which lines of the kernel it reached;
# started in the guest by coverage.sh.
#
#   coverage-guest.sh directory command...

dir=$1
shift
"$@"
status=$?
# A module's counts outlive it, unless the kernel was told otherwise. The files
# have no size: cp would find them empty.
find /sys/kernel/debug/gcov -name '*.gcda' | while read -r file; do
	cat "$file" > "$dir/${file##*/}"
done
exit $status
