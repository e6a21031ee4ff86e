# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
# The engine: freestanding C11, needs only the mem* functions.
# For inclusion from card/Makefile; paths are relative to card/.
ENGINE_CFLAGS := -std=c11 -ffreestanding -Wall -Wextra -Werror
ENGINE_OBJS :=
ENGINE_OBJS += engine/pool.o
ENGINE_OBJS += engine/options.o
ENGINE_OBJS += engine/runs.o
ENGINE_OBJS += engine/sack.o
ENGINE_OBJS += engine/reass.o
ENGINE_OBJS += engine/rtt.o
ENGINE_OBJS += engine/rate.o
ENGINE_OBJS += engine/cong.o
ENGINE_OBJS += engine/cubic.o
ENGINE_OBJS += engine/hystart.o
ENGINE_OBJS += engine/pace.o
ENGINE_OBJS += engine/rack.o
ENGINE_OBJS += engine/tlp.o
ENGINE_OBJS += engine/undo.o
ENGINE_OBJS += engine/recovery.o
ENGINE_OBJS += engine/ack.o
ENGINE_OBJS += engine/input.o
ENGINE_OBJS += engine/output.o
ENGINE_OBJS += engine/timer.o
ENGINE_OBJS += engine/state.o
ENGINE_OBJS += engine/stats.o
# end of ENGINE_OBJS
