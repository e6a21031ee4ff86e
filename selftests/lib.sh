# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the scenarios share: KTAP, undo, the card's switches and counters, and
# transfers to and from the peer. README.rst says what a scenario expects of
# the machine it runs on.
#
#	TOE_IF			interface of the card (toe0)
#	TOE_IP, TOE_IP6		our addresses on it
#	PEER_IP, PEER_IP6	the peer's
#	TOE_PEER		command that runs its arguments in the peer (peer)
#	TOE_MODULES		directory with toe.ko and toenic.ko
#	TOE_SLOW		factor for time limits, for slow kernels (1)
#	TOE_PACE		file with the machine's slowness, see slowness()
#	TOE_SEED		what random choices begin with (printed by run_all.sh)
#	NO_TOE=1		dry run without a card: assertions about it are skipped

set -u
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
TEST=$(basename "$0" .sh)
: "${TOE_PEER:=peer}" "${TOE_SLOW:=1}" "${TOE_PACE:=/run/lab/pace}" "${TOE_SEED:=$RANDOM}"
RANDOM=$TOE_SEED
: "${TOE_MODULES:=/run/lab/toe/modules}"
XFER=${TOE_XFER:-$HERE/toe_xfer}
TMP=$(mktemp -d "/tmp/$TEST.XXXXXX")
KSFT_SKIP=4
. "$HERE/card.sh"

# KTAP -----------------------------------------------------------------------

_planned=0 _count=0 _failed=0 _undo=()

plan() {
	_planned=$1
	echo "KTAP version 1"
	echo "1..$1"
}

skip_all() {
	echo "KTAP version 1"
	echo "1..0 # SKIP $*"
	_planned=skip
	exit $KSFT_SKIP
}

# say TEXT…: a diagnostic line of each line of TEXT.
say() {
	local text="$*"

	printf '# %s\n' "${text//$'\n'/$'\n# '}"
}

ok() {
	echo "ok $((++_count)) $1"
}

# not_ok DESCRIPTION [DIAGNOSTIC]…
not_ok() {
	echo "not ok $((++_count)) $1"
	_failed=$((_failed + 1))
	shift
	[ $# = 0 ] || say "$(printf '%s\n' "$@")"
	[ ! -e "$TMP/mark" ] || [ ! -d "$TOE" ] || say "since the mark: $(reasons | paste -sd' ')"
}

skip() {
	echo "ok $((++_count)) $1 # SKIP $2"
}

# undo COMMAND…: will run at the end of the scenario, last one first.
undo() {
	local quoted

	printf -v quoted '%q ' "$@"
	_undo+=("$quoted")
}

_end() {
	local status=$? i

	trap - EXIT
	trap '' TERM INT
	# Out of time: what hangs is still there.
	[ $status != 143 ] || say "$(ss -tieOn | head -n 20)" "$(ip -br addr)" "$(ip neigh)"
	for ((i = ${#_undo[@]} - 1; i >= 0; i--)); do
		eval "${_undo[i]}" >/dev/null 2>&1
	done
	rm -rf "$TMP"
	[ "$_planned" != skip ] || exit $KSFT_SKIP
	if [ "$_count" != "$_planned" ]; then
		echo "not ok $((_count + 1)) the scenario ended early (status $status)" \
			"after $_count of $_planned results"
		exit 1
	fi
	[ "$_failed" = 0 ] || exit 1
	exit 0
}
trap _end EXIT
trap 'exit 143' TERM
trap 'exit 130' INT

# Assertions -------------------------------------------------------------------

# expect DESCRIPTION COMMAND…: its output is shown if it fails. No subshell, so
# that COMMAND may wait for what runs in the background.
expect() {
	local description=$1 status
	shift

	"$@" >"$TMP/output" 2>&1
	status=$?
	if [ $status = 0 ]; then
		ok "$description"
	else
		not_ok "$description" "«$*» returned $status" "$(cat "$TMP/output")"
	fi
}

# expect_fails DESCRIPTION COMMAND…: it must say no, and say why.
expect_fails() {
	local description=$1 output
	shift

	if output=$("$@" 2>&1); then
		not_ok "$description" "«$*» succeeded" "$output"
	else
		ok "$description"
	fi
}

# expect_num DESCRIPTION VALUE OPERATOR BOUND, OPERATOR as of test(1).
expect_num() {
	if [[ $2 =~ ^-?[0-9]+$ && $4 =~ ^-?[0-9]+$ ]] && test "$2" "$3" "$4"; then
		ok "$1"
	else
		not_ok "$1" "«$2» should be $3 «$4»"
	fi
}

# expect_near DESCRIPTION VALUE WANTED TOLERANCE
expect_near() {
	local off=$(($2 - $3))

	if [ ${off#-} -le "$4" ]; then
		ok "$1"
	else
		not_ok "$1" "«$2» should be «$3» ± $4"
	fi
}

# toe_… the same, for what can only be true with a card.
toe_expect() { if [ -n "$NO_TOE" ]; then skip "$1" "no card"; else expect "$@"; fi; }
toe_num() { if [ -n "$NO_TOE" ]; then skip "$1" "no card"; else expect_num "$@"; fi; }
toe_near() { if [ -n "$NO_TOE" ]; then skip "$1" "no card"; else expect_near "$@"; fi; }

# slowness: sets SLOW to the time that things take at present, in percent of what they
# take on an idle machine with the usual kernel. The lab tells how long the guests wait
# for a processor; where nobody tells, they don't.
slowness() {
	SLOW=''
	[ ! -r "$TOE_PACE" ] || read -r SLOW <"$TOE_PACE"
	SLOW=$((${SLOW:-100} * TOE_SLOW))
}

# scaled N: what N milliseconds, or seconds, of an idle machine are on this one now.
scaled() {
	slowness
	echo $((($1 * SLOW + 99) / 100))
}

# wait_until SECONDS COMMAND…: so many on an idle machine; others may take longer.
wait_until() {
	local begin=$SECONDS limit=$1 most=100
	shift

	until "$@"; do
		if [ $((SECONDS - begin)) -gt "$limit" ]; then
			slowness
			[ "$SLOW" -le $most ] || most=$SLOW
			[ $(((SECONDS - begin) * 100)) -le $((limit * most)) ] || return 1
		fi
		nap 0.05
	done
}

# The machine --------------------------------------------------------------------

peer() {
	"$TOE_PEER" "$@"
}
# The function hides the command of the same name from itself.
[ "$TOE_PEER" != peer ] || TOE_PEER=$(type -P peer)

# needs_card: every scenario about offload begins with it.
needs_card() {
	[ -n "$NO_TOE" ] || [ -d "$TOE" ] ||
		skip_all "$TOE_IF is no interface with offload"
}

needs_command() {
	local command

	for command in "$@"; do
		type -P "$command" >/dev/null || skip_all "$command is missing"
	done
}

# all_idle: whatever went before must have left the card.
all_idle() {
	wait_until 5 no_connections
}

# expect_carried DESCRIPTION BYTES [PERCENT]: of BYTES went through the card.
expect_carried() {
	toe_num "$1" "$(carried)" -ge $(($2 * ${3:-90} / 100))
}

# Transfers ----------------------------------------------------------------------
#
# The peer is the other machine; «active» means that we connect, «passive» that
# we accept. toe_xfer's client says what is to be done, so OPTIONS are its own.

_port=$((5000 + RANDOM % 2000))

address_of() {
	# shellcheck disable=SC2153 # the lab sets them
	case $1-$2 in
	peer-4) echo "$PEER_IP" ;;
	peer-6) echo "$PEER_IP6" ;;
	toe-4) echo "$TOE_IP" ;;
	toe-6) echo "$TOE_IP6" ;;
	esac
}

# Several can run at once if each has a name of its own in X.

declare -A CLIENT_PID SERVER_PID ROLE STAYS
X=x

# slower RATE: what leaves a slow machine as much to do in a transfer's time.
slower() {
	local n=${1%[kKM]}

	case $1 in
	*[kK]) n=$((n << 10)) ;;
	*M) n=$((n << 20)) ;;
	esac
	slowness
	echo $((n * 100 / SLOW))
}

# xfer_start active|passive 4|6 OPTIONS…: in the background; sets PORT. Rates, and
# how long an end holds or pauses, are for an idle machine: see slowness.
# SERVER_OPTIONS, LOCAL_OPTIONS go to that end only. With --stay the sizes are the least
# that is sent: it goes on until hurry, however long what is done meanwhile takes.
xfer_start() {
	local role=$1 family=$2 conns=1 stays='' i
	shift 2
	# Late is who hangs, not who is slow.
	local options=("$@") timeout=$((${XFER_TIMEOUT:-60} * TOE_SLOW * 5)) server here
	read -ra server <<<"${SERVER_OPTIONS-}"
	read -ra here <<<"${LOCAL_OPTIONS-}"

	PORT=${FIXED_PORT:-$((++_port))}
	for ((i = 0; i < ${#options[@]}; i++)); do
		case ${options[i]} in
		--conns) conns=${options[i + 1]} ;;
		--hold-ms | --pause-ms) options[i + 1]=$(scaled "${options[i + 1]}") ;;
		--rate) options[i + 1]=$(slower "${options[i + 1]}") ;;
		--stay) stays=1 ;;
		esac
	done
	server+=(--port "$PORT" --conns "$conns" --timeout "$timeout")
	options+=(--port "$PORT" --timeout "$timeout")
	ROLE[$X]=$role STAYS[$X]=$stays
	if [ "$role" = active ]; then
		peer "$XFER" server "${server[@]}" >"$TMP/$X.server" 2>"$TMP/$X.server.err" &
		SERVER_PID[$X]=$!
		"$XFER" client --to "$(address_of peer "$family")" "${here[@]}" \
			"${options[@]}" >"$TMP/$X.client" 2>"$TMP/$X.client.err" &
		CLIENT_PID[$X]=$!
	else
		"$XFER" server "${server[@]}" "${here[@]}" >"$TMP/$X.server" 2>"$TMP/$X.server.err" &
		SERVER_PID[$X]=$!
		peer "$XFER" client --to "$(address_of toe "$family")" \
			"${options[@]}" >"$TMP/$X.client" 2>"$TMP/$X.client.err" &
		CLIENT_PID[$X]=$!
	fi
	undo kill "${CLIENT_PID[$X]}" "${SERVER_PID[$X]}"
}

# agree: did each end get as much as the other one sent? With --stay it's their FIN that
# says where a stream ends.
agree() {
	[ "$(ours .sent)-$(theirs .sent)" = "$(theirs .received)-$(ours .received)" ]
}

# xfer_wait: 0 if both ends had every byte as it should be.
xfer_wait() {
	local client server

	wait "${CLIENT_PID[$X]}"
	client=$?
	wait "${SERVER_PID[$X]}"
	server=$?
	cat "$TMP/$X.client.err" "$TMP/$X.server.err"
	if [ "$client$server" = 00 ]; then
		[ -z "${STAYS[$X]}" ] || agree
		return
	fi
	echo "client $client: $(cat "$TMP/$X.client")"
	echo "server $server: $(cat "$TMP/$X.server")"
	return 1
}

xfer() {
	xfer_start "$@"
	xfer_wait
}

# Is the background transfer still going on?
xfer_running() {
	kill -0 "${CLIENT_PID[$X]}" 2>/dev/null && kill -0 "${SERVER_PID[$X]}" 2>/dev/null
}

# hurry: transfers that run with --rate run without from now on, those that stay end.
hurry() {
	pkill -USR1 -x toe_xfer
	peer pkill -USR1 -x toe_xfer
}

# Who is measured against all that a connection moves mustn't count on how soon it is in
# the card, since a busy machine takes its time for that: start it with CREEP, then
# in_card N lets it run once N connections are there.
# shellcheck disable=SC2034 # scenarios read it
CREEP=(--rate 200k)

in_card() {
	local status=0

	[ -n "$NO_TOE" ] || wait_until 10 connections_are "$1" || status=1
	hurry
	return $status
}

# carries BYTES: has the card moved so many since mark?
carries() {
	[ "$(carried)" -ge "$1" ]
}

# release: whoever holds or pauses has done so for long enough.
release() {
	pkill -USR2 -x toe_xfer
	peer pkill -USR2 -x toe_xfer
}

# ours JQ, theirs JQ: from the last line of that end.
ours() {
	local end=client
	[ "${ROLE[$X]}" = active ] || end=server
	tail -n 1 "$TMP/$X.$end" | jq -r "$1"
}

theirs() {
	local end=server
	[ "${ROLE[$X]}" = active ] || end=client
	tail -n 1 "$TMP/$X.$end" | jq -r "$1"
}

# payload: bytes of both directions that arrived, by both ends' own count.
payload() {
	echo $(($(ours .received) + $(theirs .received)))
}

# address_card: the interface is there again, with its addresses, and up.
address_card() {
	wait_until 5 test -e "/sys/class/net/$TOE_IF" || return 1
	ip addr show dev "$TOE_IF" | grep -q "$TOE_IP/" ||
		ip addr add "$TOE_IP/24" dev "$TOE_IF"
	ip addr show dev "$TOE_IF" | grep -q "$TOE_IP6/" ||
		ip addr add "$TOE_IP6/64" dev "$TOE_IF" nodad
	ip link set "$TOE_IF" up
}

# modules_back: both are inserted again, and so is the interface.
modules_back() {
	lsmod | grep -q '^toe ' || insmod "$TOE_MODULES/toe.ko" || return 1
	lsmod | grep -q '^toenic ' || insmod "$TOE_MODULES/toenic.ko" || return 1
	address_card
}
