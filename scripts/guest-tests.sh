#!/bin/bash
# In a guest, started by kselftest.sh: run the programs of a list, but those that
# another guest has begun. What each printed goes to DIR/NAME.ktap, its seconds to
# DIR/NAME.seconds when it has ended.
#
#   guest-tests.sh DIR SELFTESTS TIMEOUT COLLECTION:PROGRAM[:ARGUMENT]...

dir=$1 selftests=$2 timeout=$3
shift 3
for test; do
	IFS=: read -r collection program argument <<< "$test"
	name=$program${argument:+-$argument}
	mkdir "$dir/$name.begun" 2> /dev/null || continue
	# So the runner hands arguments to a program.
	variable=KSELFTEST_$(tr -c '[:alnum:]\n' _ <<< "${program^^}")_ARGS
	# The runner opens /dev/stdout anew: a file it would write to from the start.
	SECONDS=0
	env ${argument:+"$variable=$argument"} "$selftests/run_kselftest.sh" \
		-t "$collection:$program" --override-timeout "$timeout" \
		2>&1 | cat > "$dir/$name.ktap"
	echo $SECONDS > "$dir/$name.new"
	mv "$dir/$name.new" "$dir/$name.seconds"
done
