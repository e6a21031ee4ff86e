# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# Tests of the engine.  For inclusion from card/Makefile; paths are relative to
# card/.  Each ENGINE_TESTS entry is one cmocka program of tests/<name>.c and
# ENGINE_OBJS (-lcmocka, prints TAP); the sim programs need libc only.
ENGINE_TESTS :=
ENGINE_TESTS += engine_ack
ENGINE_TESTS += engine_cong
ENGINE_TESTS += engine_flight
ENGINE_TESTS += engine_input
ENGINE_TESTS += engine_hystart
ENGINE_TESTS += engine_move
ENGINE_TESTS += engine_options
ENGINE_TESTS += engine_output
ENGINE_TESTS += engine_pace
ENGINE_TESTS += engine_rack
ENGINE_TESTS += engine_reass
ENGINE_TESTS += engine_recovery
ENGINE_TESTS += engine_rtt
ENGINE_TESTS += engine_runs
ENGINE_TESTS += engine_sack
ENGINE_TESTS += engine_state
ENGINE_TESTS += engine_stats
ENGINE_TESTS += engine_timer
ENGINE_TESTS += engine_tlp
ENGINE_TESTS += engine_undo
# end of ENGINE_TESTS

# SIM_PROGRAMS: each is ENGINE_OBJS + SIM_OBJS + its own object; prints TAP.
# SIM_SEEDS: of sim/sim; a failing seed alone as its argument replays it.
SIM_SEEDS ?= 10000
SIM_OBJS :=
SIM_OBJS += sim/rng.o
SIM_OBJS += sim/heap.o
SIM_OBJS += sim/advance.o
SIM_OBJS += sim/frame.o
SIM_OBJS += sim/link.o
SIM_OBJS += sim/host.o
SIM_OBJS += sim/check.o
SIM_OBJS += sim/fail.o
SIM_OBJS += sim/trace.o
SIM_OBJS += device/csum.o
SIM_OBJS += device/packet.o
# end of SIM_OBJS
SIM_PROGRAMS := sim/sim sim/many sim/hostile sim/clean
