# SPDX-License-Identifier: GPL-2.0
#
# The names in Documentation/statistics.rst, one a line, as «TcpExt.TCPTimeouts»: those
# of the first columns of tables that follow a comment «.. group NAME».
/^\.\. group / { group = $3; next }
/^[^ .]/ { group = "" }
group == "" { next }
/^   \* - / { column = 1; sub(/^   \* - /, "") }
/^     - / { column = 2 }
column == 1 && /[A-Za-z0-9_]/ {
	n = split($0, name, /[, ]+/)
	for (i = 1; i <= n; i++)
		if (name[i] != "" && name[i] != "Field" && name[i] != "Line")
			print group "." name[i]
}
