# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
#
# What peer and peerd share: the way to the management network, and frames.
package Frames;
use strict;
use warnings;

use constant PORT => 777;
use constant SYS_SETNS => 308; # x86-64

# A socket belongs to the namespace it was made in: so it is enough to be in
# the management network while making it. Where that has no namespace (the
# peer is the host's), nothing is to be done.
sub in_management_net {
	my ($make) = @_;
	my $management;
	open($management, '<', '/run/netns/mgmt') or return $make->();
	open(my $own, '<', '/proc/self/ns/net') or die "no namespaces: $!";
	syscall(SYS_SETNS, fileno $management, 0) == 0 or die "setns: $!";
	my $socket = $make->();
	syscall(SYS_SETNS, fileno $own, 0) == 0 or die "setns: $!";
	return $socket;
}

sub peer_address {
	open(my $conf, '<', '/run/lab/conf') or die "no /run/lab/conf: $!";
	while (<$conf>) {
		return $1 if /^MGMT_PEER=(\S+)/;
	}
	die "no peer in /run/lab/conf";
}

sub read_exactly {
	my ($from, $length) = @_;
	my $data = '';
	while (length $data < $length) {
		my $got = sysread($from, $data, $length - length $data, length $data);
		next if !defined $got && $!{EINTR};
		return undef unless $got;
	}
	return $data;
}

sub write_all {
	my ($to, $data) = @_;
	my $at = 0;
	while ($at < length $data) {
		my $put = syswrite($to, $data, length($data) - $at, $at);
		next if !defined $put && $!{EINTR};
		return 0 unless defined $put;
		$at += $put;
	}
	return 1;
}

sub send_frame {
	my ($to, $type, $data) = @_;
	return write_all($to, $type . pack('N', length $data) . $data);
}

sub read_frame {
	my ($from) = @_;
	my $head = read_exactly($from, 5) // return;
	my ($type, $length) = unpack 'aN', $head;
	my $data = read_exactly($from, $length) // return;
	return ($type, $data);
}

1;
