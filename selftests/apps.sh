#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# peer: guest
# timeout: 120
#
# Programs as Debian ships them, none of which knows about the card: HTTP, FTP
# and iperf3, with us as client and as server. Sums agree, the card carried it.
. "${0%/*}/lib.sh"
needs_card
needs_command nginx curl vsftpd iperf3
plan 24

SIZE=$((12 << 20))
offload on
# A directory of the same name here and in the peer.
D=/tmp/toe-apps
mkdir -p $D
undo rm -rf $D
head -c $SIZE /dev/urandom >$D/ours
sum=$(sha256sum <$D/ours)

expect "servers start here" "$HERE/servers.sh" start $D
expect "and in the peer" peer "$HERE/servers.sh" start $D
undo "$HERE/servers.sh" stop $D
undo peer "$HERE/servers.sh" stop $D
peer sh -c "head -c $SIZE /dev/urandom >$D/theirs"
theirs_sum=$(peer sha256sum $D/theirs | cut -d' ' -f1)
sum=${sum%% *}

# same FILE SUM, peer_same FILE SUM
same() { [ "$(sha256sum "$1" | cut -d' ' -f1)" = "$2" ]; }
peer_same() { [ "$(peer sha256sum "$1" | cut -d' ' -f1)" = "$2" ]; }

mark
expect "HTTP, we fetch" curl -sS -o $D/got "http://$PEER_IP:8080/theirs"
expect "HTTP, we fetch: the sum agrees" same $D/got "$theirs_sum"
expect_carried "HTTP, we fetch: by card" $SIZE
toe_expect "HTTP, we fetch: the card is empty again" all_idle
mark
expect "HTTP, we serve" peer curl -sS -o $D/got "http://[$TOE_IP6]:8080/ours"
expect "HTTP, we serve: the sum agrees" peer_same $D/got "$sum"
expect_carried "HTTP, we serve: by card" $SIZE
toe_expect "HTTP, we serve: the card is empty again" all_idle
mark
expect "FTP, we upload" curl -sS -T $D/ours "ftp://$PEER_IP:2121/up/ftp1"
expect "FTP, we upload: the sum agrees" peer_same $D/up/ftp1 "$sum"
# curl closes when the socket has taken all; what then waits is sent natively.
expect_carried "FTP, we upload: by card" $SIZE 60
toe_expect "FTP, we upload: the card is empty again" all_idle
mark
expect "FTP, we receive" peer curl -sS -T $D/theirs "ftp://$TOE_IP:2121/up/ftp2"
expect "FTP, we receive: the sum agrees" same $D/up/ftp2 "$theirs_sum"
expect_carried "FTP, we receive: by card" $SIZE
toe_expect "FTP, we receive: the card is empty again" all_idle
mark
expect "iperf3, we send" sh -c "iperf3 -c $PEER_IP -P 4 -n 4M -J >$D/iperf"
sent=$(jq .end.sum_received.bytes $D/iperf)
expect_carried "iperf3, we send: by card" "${sent%.*}"
mark
expect "iperf3, we receive" sh -c "iperf3 -c $PEER_IP -P 4 -n 4M -R -J >$D/iperf"
sent=$(jq .end.sum_received.bytes $D/iperf)
expect_carried "iperf3, we receive: by card" "${sent%.*}"
expect_num "iperf3: bytes were counted" "${sent%.*}" -ge 4000000
toe_expect "iperf3: the card is empty again" all_idle
