# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
"""What the plugin wrote, told apart by kallsyms of the same boot."""

import bisect
import re
from collections import Counter

# The idle loop itself. What it takes to enter and leave it (tick, scheduler,
# the choice of a state) is a price of sleeping, and counted.
IDLE = re.compile(r"(do_idle|cpu_idle_poll.*|cpu_startup_entry|arch_cpu_idle|default_idle"
                  r"|default_idle_call|(pv_)?native_safe_halt|mwait_idle.*|acpi_safe_halt"
                  r"|acpi_idle_.*|poll_idle|default_enter_idle|cpuidle_.*)$")

# Loops over payload and pages. What is inlined as a rep instruction is
# counted by its bytes instead.
COPY = re.compile(r"(rep_movs_alternative|copy_user_generic.*|_*memcpy|memcpy_orig"
                  r"|_*memmove|csum_partial_copy_generic|copy_page|copy_page_regs)$")
ZERO = re.compile(r"(clear_page_(orig|rep|erms)|_*memset|memset_orig|rep_stos_alternative)$")


class Symbols:
    """Functions by address."""

    def __init__(self, path):
        found = {}
        with open(path, encoding="ascii") as lines:
            for line in lines:
                words = line.split()
                if words[1] not in "tTwW":
                    continue
                module = words[3][1:-1] if len(words) > 3 else ""
                # Of several names of one address the first is as good as any.
                found.setdefault(int(words[0], 16), (words[2], module))
        self.starts = sorted(found)
        self.names = [found[start] for start in self.starts]

    def at(self, address):
        """(function, module) of an address."""
        i = bisect.bisect_right(self.starts, address) - 1
        return self.names[i] if i >= 0 else ("unknown", "")


class Window:
    """One window: instructions by function, bytes by string instructions."""

    def __init__(self):
        self.user = 0
        self.functions = Counter()      # (function, module): instructions
        self.copied = 0
        self.zeroed = 0

    def add(self, words, symbols):
        """One line of the plugin's file."""
        if words[0] == "user":
            self.user += int(words[1])
        elif words[0] == "block":
            where = symbols.at(int(words[1], 16))
            self.functions[where] += int(words[2]) * int(words[3])
        elif words[0] == "string":
            amount = int(words[3]) * int(words[4])
            if words[2] == "m":
                self.copied += amount
            else:
                self.zeroed += amount

    def parts(self):
        """Instructions by who executed them, and the loops among them."""
        part = Counter(user=self.user)
        for (name, module), count in self.functions.items():
            if IDLE.match(name):
                part["idle"] += count
                continue
            part[module if module in ("toe", "toenic") else "kernel"] += count
            if COPY.match(name):
                part["copy_loops"] += count
            elif ZERO.match(name):
                part["zero_loops"] += count
        part["total"] = sum(part[p] for p in ("user", "kernel", "toe", "toenic"))
        part["copied_bytes"] = self.copied
        part["zeroed_bytes"] = self.zeroed
        return part


def read_windows(path, symbols):
    """Yields the windows of a file in order."""
    cache = Cached(symbols)
    window = None
    with open(path, encoding="ascii") as lines:
        for line in lines:
            words = line.split()
            if words[0] == "window":
                window = Window()
            elif words[0] == "end":
                yield window
            else:
                window.add(words, cache)


class Cached:
    """The same addresses come in every window."""

    def __init__(self, symbols):
        self.symbols = symbols
        self.known = {}

    def at(self, address):
        """As Symbols.at()."""
        if address not in self.known:
            self.known[address] = self.symbols.at(address)
        return self.known[address]
