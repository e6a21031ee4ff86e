# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The card as a user sees it: switches, counters, connections. For scenarios
# (by way of lib.sh) and for the demo. $TMP is a directory for a file or two.

: "${TOE_IF:=toe0}" "${NO_TOE:=}"
TOE=/sys/class/net/$TOE_IF/toe
MARKED=""

# Under emulation a process costs as much time as a second of idling: what is asked
# again and again starts none.

# nap SECONDS: sleeps.
exec {_nap}<> <(:)
nap() {
	read -r -t "$1" -u "$_nap"
	return 0
}

set_attr() {
	[ -n "$NO_TOE" ] || echo "$2" >"$TOE/$1"
}

attr() {
	local lines=(0)

	[ -n "$NO_TOE" ] || mapfile -t lines <"$TOE/$1"
	printf '%s\n' "${lines[@]}"
}

# offload on|off: the switch for unmodified applications.
offload() {
	[ -n "$NO_TOE" ] || ethtool --set-priv-flags "$TOE_IF" tcp-offload "$1"
}

offload_is() {
	ethtool --show-priv-flags "$TOE_IF" | grep -q "tcp-offload *: $1\$"
}

# connections_are N
connections_are() {
	local now=0

	[ -n "$NO_TOE" ] || read -r now <"$TOE/connections"
	[ "$now" = "$1" ]
}

no_connections() {
	connections_are 0
}

recall_all() {
	set_attr recall all
}

# value NAME TEXT: sets VALUE to what TEXT says behind «NAME:»; nothing if it doesn't.
value() {
	VALUE=''
	[[ $2 =~ (^|[[:space:]])"$1":\ ([0-9]+) ]] && VALUE=${BASH_REMATCH[2]}
}

# counter NAME: of ethtool -S; nothing if there is none.
counter() {
	value "$1" "$(ethtool -S "$TOE_IF")"
	echo "$VALUE"
}

# mark: what later deltas are counted from.
mark() {
	local name

	ethtool -S "$TOE_IF" >"$TMP/mark" 2>/dev/null
	if [ -z "$NO_TOE" ]; then
		for name in offloaded_total recalled_total refused_total; do
			echo "$name: $(<"$TOE/$name")"
		done >>"$TMP/mark"
	fi
	MARKED=$(<"$TMP/mark")
}

# delta NAME: how far a counter or a …_total has come since mark.
delta() {
	local old now=''

	value "$1" "$MARKED"
	old=$VALUE
	case $1 in
	*_total) [ -n "$NO_TOE" ] || now=$(<"$TOE/$1") ;;
	*)
		value "$1" "$(ethtool -S "$TOE_IF")"
		now=$VALUE
		;;
	esac
	echo $((${now:-0} - ${old:-0}))
}

# carried: payload bytes through the card since mark.
carried() {
	local now name sum=0

	now=$(ethtool -S "$TOE_IF")
	for name in toe_tx_bytes toe_rx_bytes; do
		value $name "$now"
		sum=$((sum + ${VALUE:-0}))
		value $name "$MARKED"
		sum=$((sum - ${VALUE:-0}))
	done
	echo $sum
}

# reasons: refusals, recalls and frames dropped since mark, each with its number.
reasons() {
	ethtool -S "$TOE_IF" | awk '
		FNR == NR { old[$1] = $2; next }
		/toe_(refuse|recall|offload|abort|bad)|drop|no_buffer|error|death|recovered|_bad/ && $2 > old[$1] { print $1 $2 - old[$1] }
	' "$TMP/mark" -
}

# ss_flow FILTER: what ss knows of established connections to the peer.
ss_flow() {
	ss -Htien state established "$@"
}

ss_ulp() {
	ss_flow "$@" | grep -c tcp-ulp-toe
}

# cut_bus: no DMA of the card from here on, and nobody tells the driver.
cut_bus() {
	local config=/sys/class/net/$TOE_IF/device/config value
	local command=4 master=4	# of PCI: the register, and its bit

	value=$(od -An -tu2 -j $command -N 2 "$config")
	value=$((value & ~master))
	# shellcheck disable=SC2059 # bytes, not text
	printf "\\x$(printf %x $((value & 255)))\\x$(printf %x $((value >> 8)))" |
		dd of="$config" bs=1 seek=$command conv=notrunc status=none
}
