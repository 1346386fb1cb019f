# shellcheck shell=bash
# The machine that a benchmark ran on, for the head of its table.

# circumstances FLAVOUR: lines of the form "about", what, the answer
circumstances() {
	local processor cache vectors

	processor=$(sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1)
	cache=$(cat /sys/devices/system/cpu/cpu0/cache/index3/size 2> /dev/null || echo unknown)
	# What OpenSSL and the kernel have AES-GCM for
	vectors=$(grep -m 1 '^flags' /proc/cpuinfo | grep -owE 'avx2|vaes|avx512vl|avx512bw' | sort | paste -sd ' ')
	[[ $vectors = *avx512* ]] || vectors+=", no AVX-512"
	printf 'about\t%s\t%s\n' \
		Command "make bench BENCH=$BENCH" \
		Date "$(date -u '+%Y-%m-%d %H:%M UTC')" \
		Commit "$(git -C "$ROOT" describe --always --dirty 2> /dev/null || echo unknown)" \
		Processor "$processor, $(nproc) of them, last level cache $cache" \
		Vectors "$vectors" \
		Kernel "Linux $(cat "$BUILD/$1/include/config/kernel.release"), flavour $1" \
		Host "Linux $(uname -r), load $(cut -d ' ' -f 1 /proc/loadavg) before the start" \
		Compiler "$(gcc --version | head -n 1)"
}
