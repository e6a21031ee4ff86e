# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
#
# The two pictures of Documentation/bench.rst. kind is svg or png, from has the
# columns that figures wrote, to is where they go.

if (kind eq "svg") {
	set terminal svg size 900,420 font "sans-serif,13" background "white"
} else {
	set terminal pngcairo size 900,420 font "sans,10" background "white"
}
set xtics rotate by -35
set datafile separator "\t"
set style data histograms
set style fill solid 0.9 noborder
set grid y lc rgb "#d0d0d0"
set border 3
set tics nomirror
set yrange [0:*]
name(c) = c eq "a" ? "TCP, toe0" : c eq "b" ? "offloaded" : c eq "c" ? "virtio-net" : "AF\\_UNIX"

set output to."/bench-bulk.".kind
set style histogram rowstacked
set boxwidth 0.7
set key top right reverse Left
set multiplot layout 1,2
do for [i = 0:1] {
	set title (i == 0 ? "bulk send" : "bulk receive").", instructions per KiB: stock; init\\_on\\_alloc=0"
	plot newhistogram "" at 0, from."/bulk.dat" index i using 5:xtic(name(stringcolumn(1))) \
			lc rgb "#b0b0b0" title "zeroing", \
		"" index i using 6 lc rgb "#2060a0" title "kernel", \
		"" index i using 4 lc rgb "#e0a030" title "toenic.ko", \
		"" index i using 3 lc rgb "#c03020" title "toe.ko", \
		"" index i using 2 lc rgb "#404040" title "user", \
		newhistogram "" at 4.5, from."/bulk.dat" index i + 2 using 5:xtic(name(stringcolumn(1))) \
			lc rgb "#b0b0b0" notitle, \
		"" index i + 2 using 6 lc rgb "#2060a0" notitle, \
		"" index i + 2 using 4 lc rgb "#e0a030" notitle, \
		"" index i + 2 using 3 lc rgb "#c03020" notitle, \
		"" index i + 2 using 2 lc rgb "#404040" notitle
}
unset multiplot

set output to."/bench-requests.".kind
set style histogram clustered gap 1
set boxwidth 0.9
set xtics norotate
set multiplot
set key top left reverse Left
set size 0.7, 1
set title "thousands of instructions per request"
plot from."/requests.dat" index 0 using 2:xtic(1) lc rgb "#2060a0" title "TCP on toe0", \
	"" index 0 using 3 lc rgb "#c03020" title "offloaded on toe0", \
	"" index 0 using 4 lc rgb "#e0a030" title "virtio-net", \
	"" index 0 using 5 lc rgb "#909090" title "AF\\_UNIX, both ends"
set origin 0.7, 0
set size 0.3, 1
set title "per connection"
plot from."/requests.dat" index 1 using 2:xtic(1) lc rgb "#2060a0" notitle, \
	"" index 1 using 3 lc rgb "#c03020" notitle, \
	"" index 1 using 4 lc rgb "#e0a030" notitle, \
	"" index 1 using 5 lc rgb "#909090" notitle
unset multiplot
