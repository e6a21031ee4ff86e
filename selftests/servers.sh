#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# servers.sh start|stop DIR: nginx, vsftpd and iperf3 as Debian ships them, run
# in the foreground of nobody: HTTP on port 8080 and FTP on 2121 serve DIR (FTP
# stores into DIR/up), iperf3 listens on 5201. For either end of the wire.
set -u
action=$1 dir=$2

start() {
	# vsftpd wants a root that its user can't write to, and an empty one.
	mkdir -p "$dir/up" "$dir/empty"
	chmod 755 "$dir"
	chmod 777 "$dir/up"
	cat >"$dir/nginx.conf" <<-END
		user root;
		worker_processes 2;
		pid $dir/nginx.pid;
		error_log $dir/nginx.log;
		events { worker_connections 256; }
		http {
			access_log off;
			sendfile on;
			server { listen 8080; listen [::]:8080; root $dir; }
		}
	END
	cat >"$dir/vsftpd.conf" <<-END
		listen=NO
		listen_ipv6=YES
		listen_port=2121
		background=NO
		anonymous_enable=YES
		anon_root=$dir
		anon_upload_enable=YES
		anon_umask=022
		no_anon_password=YES
		write_enable=YES
		secure_chroot_dir=$dir/empty
		seccomp_sandbox=NO
		pasv_min_port=6100
		pasv_max_port=6200
	END
	nginx -c "$dir/nginx.conf" || exit
	setsid vsftpd "$dir/vsftpd.conf" >"$dir/vsftpd.log" 2>&1 </dev/null &
	setsid iperf3 -s -p 5201 >"$dir/iperf3.log" 2>&1 </dev/null &
	for port in 8080 2121 5201; do
		for ((i = 0; i < 200; i++)); do
			[ -z "$(ss -Htln "sport = $port")" ] || continue 2
			sleep 0.05
		done
		echo "nobody listens on port $port" >&2
		tail -n 5 "$dir"/*.log >&2
		exit 1
	done
}

stop() {
	kill "$(cat "$dir/nginx.pid")"
	# By what they were started with: another's servers are not ours.
	pkill -f "vsftpd $dir/vsftpd.conf"
	pkill -x iperf3
}

$action
