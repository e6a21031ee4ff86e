# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
#
# Verbs only: what is built is said in Kbuild, kmod/, netdev/, card/, selftests/.

KDIR ?= /lib/modules/$(shell uname -r)/build
KERNEL ?= 6.12

.DEFAULT_GOAL := all

help:
	@echo 'Here or on any machine (a lab of its own is made once, see scripts/lab):'
	@echo '  make                  modules for all kernels of the lab, card, tests'
	@echo '  make demo             FTP, HTTP and iperf3 through the card, before your eyes'
	@echo '  make check            scenarios in QEMU: KERNEL="6.1|6.12|7.2|debug|all"'
	@echo '                        TESTS="basic rst@SEED ..." (selftests/), quick; JOBS=boots'
	@echo '                        at once, SEED, TIMES=1: what each scenario took'
	@echo '  make list-differential'
	@echo '                        comparisons with offload off and on, each for TESTS='
	@echo '  make check-card       tests of the card and of figure 4D, without a kernel'
	@echo '  make mutate           random faults in the card: do its tests notice? N=300, SEED,'
	@echo '                        FILES="engine/ack.c device", QUICK=1, JOBS=2'
	@echo '  make mutate-modules   do the scenarios notice faults? MUTANTS="names", JOBS=2'
	@echo '  make bench-tcp        the card'"'"'s TCP against the kernel'"'"'s: BENCH_QUICK=1, JOBS=3'
	@echo '  make bench-engine     what a TCP segment costs the card'"'"'s engine, and lwIP'
	@echo '  make bench            what TCP costs the host, in instructions; BENCH_QUICK=1'
	@echo '  make bench-figures    its pictures into Documentation/, from the last run'
	@echo '  make style            checkpatch, sparse, kernel-doc, shellcheck'
	@echo '  make clean            remove build/ (the lab stays: scripts/lab clean)'
	@echo 'For the kernel that runs here:'
	@echo '  make modules          toe.ko and toenic.ko: KDIR=path of its build tree'
	@echo '  make modules_install  into /lib/modules, as root'
	@echo '  make tool             the toe command: needs libmnl'
	@echo '  make tool_install     into PREFIX=/usr/local, with manual and completion'

all:
	scripts/lab build

headers:
	@[ -e "$(KDIR)/Makefile" ] || { \
		echo "No kernel headers in $(KDIR): install linux-headers-$$(uname -r), or say KDIR=…" >&2; \
		exit 1; }

modules: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

modules_install: headers
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

tool:
	$(MAKE) -C scripts/toe

tool_install:
	$(MAKE) -C scripts/toe install

demo:
	@scripts/demo

check:
	@KERNEL="$(KERNEL)" TESTS="$(TESTS)" exec scripts/check

list-differential:
	@scripts/lab exec -- make -s -C selftests >&2
	@build/selftests/toe_diff list

check-card:
	@scripts/check-card

mutate:
	@scripts/mutate

mutate-modules:
	@MUTANTS="$(MUTANTS)" scripts/mutate-modules

bench-tcp:
	@scripts/bench-tcp

bench-engine:
	@scripts/bench-engine

bench:
	@scripts/bench

bench-figures:
	@scripts/bench.d/figures

style:
	@scripts/style

clean:
	rm -rf build
	@[ ! -e "$(KDIR)/Makefile" ] || $(MAKE) -s -C $(KDIR) M=$(CURDIR) clean

.PHONY: help all headers modules modules_install tool tool_install demo check list-differential check-card mutate mutate-modules bench-tcp style clean bench-engine bench bench-figures
