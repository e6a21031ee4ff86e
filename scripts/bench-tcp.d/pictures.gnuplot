# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
#
# The two pictures of Documentation/bench-tcp.rst. kind is svg or png, from has
# the columns that summary wrote, to is where they go.

if (kind eq "svg") {
	set terminal svg size 900,420 font "sans-serif,13" background "white"
} else {
	set terminal pngcairo size 900,420 font "sans,10" background "white"
}
set style line 1 lc rgb "#c03020" lw 2 pt 7 ps 0.7
set style line 2 lc rgb "#2060a0" lw 2 pt 5 ps 0.7
set grid lc rgb "#d0d0d0"

set output to."/bench-tcp-goodput.".kind
set multiplot layout 1,2
set logscale y
set xlabel "random loss, %"
set ylabel "goodput, Mbit/s"
set yrange [0.1:25]
set xtics ("0" 0, "0.1" 1, "0.5" 2, "1" 3, "2" 4, "5" 5)
set xrange [-0.3:5.3]
set key bottom left
do for [i = 0:1] {
	set title (i == 0 ? "RTT 20 ms" : "RTT 100 ms")." out of the card, median and range"
	plot from."/loss.dat" index i using 0:2:3:4 with yerrorlines ls 1 title "engine", \
		"" index i using 0:5:6:7 with yerrorlines ls 2 title "Linux"
}
unset multiplot

reset
set style line 1 lc rgb "#c03020"
set style line 2 lc rgb "#a0a0a0"
set output to."/bench-tcp-ratio.".kind
set rmargin 8
set title "Goodput, engine / Linux"
set style data histograms
set style histogram clustered gap 1
set style fill solid 0.9 noborder
set boxwidth 0.9
set yrange [0:*]
set ytics 0.25
set grid y lc rgb "#d0d0d0"
set xtics rotate by -35 font ",10"
set key top left horizontal
set datafile missing "?"
plot from."/ratio.dat" using 2:xtic(1) ls 1 title "card sends", \
	"" using 3 ls 2 title "card receives", 1 with lines lc rgb "black" notitle
