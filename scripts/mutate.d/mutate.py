#!/usr/bin/python3
# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
"""mutate.py REPO: see scripts/mutate, which runs this in the lab tree.  Wants SEED, N,
FILES, JOBS and QUICK in its environment."""
import filecmp
import json
import os
import random
import re
import select
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

import faults
import jail

DIRS = ("engine", "device", "front", "wire")
BAR = 95.0
# What is short of the simulator, and what is long, in this order.
RECORDED = ("sim/hostile -r", "sim/sim -r")
LONG = ("sim/sim -n 1500", "sim/many", "sim/hostile", "sim/clean")


def die(text):
	print("mutate: " + text, file=sys.stderr)
	sys.exit(2)


class Base:
	"""A copy of the card, built as it is, and the commands that built it."""

	def __init__(self, repo, jobs, quick):
		self.dir = tempfile.mkdtemp(prefix="mutate-")
		self.card = self.dir + "/card"
		self.out = self.dir + "/out"
		for part in ("card", "include"):
			shutil.copytree(f"{repo}/{part}", f"{self.dir}/{part}")
		programs = self.make("-s", "--eval=checks: ; @echo $(CHECKS)", "checks").split()
		self.checks = [p for p in programs if not p.startswith("sim/")]
		self.checks += RECORDED + LONG
		if quick:
			self.checks = [check for check in self.checks if not is_long(check)]
		self.uses_card = {check for check in self.checks if self.starts_card(check)}
		programs = {check.split()[0] for check in self.checks}
		if self.uses_card:
			programs.add("toecard")
		targets = sorted(f"{self.out}/{name}" for name in programs)
		self.commands(self.make("-n", *targets))
		self.make("-s", "-j", str(jobs), *targets)
		self.members = {name: self.linked(name) for name in self.links}
		self.cost = {}

	def make(self, *args):
		run = subprocess.run(["make", "-C", self.card, "O=" + self.out, "CFLAGS=-O1",
				      "--no-print-directory", *args], capture_output=True, text=True)
		if run.returncode:
			die("the card doesn't build:\n" + run.stdout + run.stderr)
		return run.stdout

	def commands(self, text):
		"""How objects are compiled and programs linked, without the dependencies."""
		self.compiles, self.links = {}, {}
		for line in text.splitlines():
			words = shlex.split(line)
			if "-o" not in words:
				continue
			target = words[words.index("-o") + 1]
			if "-c" in words:
				self.compiles[words[-1]] = [w for w in words if w not in ("-MMD", "-MP")]
			else:
				self.links[os.path.relpath(target, self.out)] = words

	def linked(self, name):
		"""The objects in a program, by their names without directories; of an archive
		only those that were taken, which ld tells who asks twice."""
		run = subprocess.run(self.links[name] + ["-Wl,--trace,--trace"], cwd=self.card,
				     capture_output=True, text=True, check=True)
		return set(re.findall(r"(\w+\.o)\b", run.stdout))

	def starts_card(self, name):
		try:
			with open(f"{self.card}/tests/{name}.c") as f:
				return "client_" in f.read()
		except FileNotFoundError:
			return False

	def object_of(self, path):
		command = self.compiles[path]
		return command[command.index("-o") + 1]

	def link(self, name, path, mutant, target):
		"""Link a program with @mutant instead of the object of source @path."""
		words, old = list(self.links[name]), self.object_of(path)
		if old in words:
			words[words.index(old)] = mutant
		else:	# first come, first served: the archive's own is passed over then
			words.insert(words.index(self.out + "/libcard.a"), mutant)
		words[words.index("-o") + 1] = target
		os.makedirs(os.path.dirname(target), exist_ok=True)
		subprocess.run(words, cwd=self.card, check=True)

	def order(self, path):
		"""The programs that contain a source, the likeliest to notice first."""
		stem = os.path.basename(path)[:-2]
		contain = [name for name in self.checks
			   if stem + ".o" in self.members[name.split()[0]] or
			   (name in self.uses_card and stem + ".o" in self.members["toecard"])]
		return sorted(contain, key=lambda name: (rank(name, path, stem), self.cost[name][0]))

	def measure(self, name):
		"""Does the right program pass, and what does it cost?  In a jail."""
		os.chdir(self.card)
		began = time.monotonic()
		wrong, cpu = jail.run(f"{self.out}/{name}".split(),
				      env=environment(self.out + "/toecard"))
		return {"wrong": wrong, "cpu": cpu, "wall": time.monotonic() - began}


def is_long(name):
	return name in LONG or name.startswith("fuzz/")


def rank(name, path, stem):
	if name.startswith("fuzz/"):
		return 9
	if name in LONG:
		return 5 + LONG.index(name)
	if name in RECORDED:
		return 2
	folder = path.split("/")[0]
	if name in ("engine_" + stem, "test_" + stem):
		return 0
	if folder == "device":
		return 1 if name.startswith("test_toe" if stem.startswith("toe") else "test_nic") else 3
	return 1 if name.startswith("test_" + folder) or name.startswith(folder + "_") else 3


def environment(toecard):
	return {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "TMPDIR": "/tmp",
		"CMOCKA_MESSAGE_OUTPUT": "TAP", "TOECARD": toecard}


class Trial:
	"""One fault, compiled and tested.  run() is what happens in its jail."""

	def __init__(self, base, source, fault, short):
		self.base, self.source, self.fault, self.short = base, source, fault, short

	def run(self, _):
		base, path = self.base, self.fault.path
		os.chdir(base.card)
		with open("/tmp/mutant.c", "w") as f:
			f.write(self.source.with_fault(self.fault))
		# under its own name, so that it compiles to the same unless it differs
		jail.mount("/tmp/mutant.c", f"{base.card}/{path}", None, jail.MS_BIND)
		command = list(base.compiles[path])
		mutant = command[command.index("-o") + 1] = "/tmp/mutant.o"
		if jail.run(command)[0]:
			return {"void": "doesn't compile"}
		if filecmp.cmp(mutant, base.object_of(path), shallow=False):
			return {"void": "compiles to the same"}
		return self.test(mutant)

	def test(self, mutant):
		base, path, toecard = self.base, self.fault.path, None
		for name in base.order(path):
			if self.short and is_long(name):
				continue
			if name in base.uses_card and not toecard:
				toecard = "/tmp/toecard"
				base.link("toecard", path, mutant, toecard)
			program, *args = name.split()
			if not os.path.exists("/tmp/" + program):
				base.link(program, path, mutant, "/tmp/" + program)
			# Who waits for processes might be unlucky once; a fault is there twice.
			for _ in range(2 if name in base.uses_card else 1):
				wrong, _ = jail.run(["/tmp/" + program, *args], *base.cost[name],
						    environment(toecard or ""))
				if not wrong:
					break
			if wrong:
				return {"by": name, "how": wrong}
		return {"by": None}


def run_all(works, jobs):
	"""Run the works, each in a jail, and yield their answers in order."""
	works, running, answers, next_one = enumerate(works), {}, {}, 0
	more = True
	while more or running:
		while more and len(running) < jobs:
			entry = next(works, None)
			if not entry:
				more = False
				break
			number, (work, argument) = entry
			pid, fd = jail.start(work, argument)
			running[fd] = (number, pid)
		for fd in select.select(list(running), [], [])[0] if running else []:
			number, pid = running.pop(fd)
			with os.fdopen(fd, "rb") as f:
				answers[number] = json.loads(f.read() or b'{"error": "no answer"}')
			os.waitpid(pid, 0)
		while next_one in answers:
			yield answers.pop(next_one)
			next_one += 1


def chosen_files(card, wanted):
	"""Sources below card/ that FILES names: files or directories, "card/" may be left out."""
	names = []
	for folder in DIRS:
		names += sorted(f"{folder}/{name}" for name in os.listdir(f"{card}/{folder}")
				if name.endswith(".c"))
	if not wanted:
		return names
	chosen = []
	for want in (re.sub("^card/", "", w).rstrip("/") for w in wanted):
		found = [n for n in names if n == want or n.startswith(want + "/")]
		if not found:
			die(f"FILES: no sources of the card in {want}")
		chosen += [n for n in found if n not in chosen]
	return chosen


def read_equivalents(path):
	"""What tests/equivalent.txt lists: {(file, function, original, mutated): reason}."""
	listed = {}
	with open(path) as f:
		text = "".join(line for line in f if not line.startswith("#"))
	for entry in filter(None, (e.strip() for e in re.split(r"\n\s*\n", text))):
		m = re.fullmatch(r"(\S+): (\w+)\n- (.*)\n\+ ?(.*)\n((?:.|\n)+)", entry)
		if not m:
			die(f"{path}: not an entry:\n{entry}")
		listed[tuple(s.strip() for s in m.groups()[:4])] = " ".join(m.group(5).split())
	return listed


def key(fault):
	return fault.path, fault.function, fault.original, fault.mutated


def show(fault, remark=""):
	print(f"card/{fault.path}:{fault.line}: {fault.function}:{remark} - {fault.original} "
	      f"/ + {fault.mutated}", flush=True)


class Report:
	"""What became of the faults that were drawn."""

	def __init__(self, log):
		self.noticed = self.survived = self.excused = self.void = 0
		self.log = open(log, "w")

	def drawn(self):
		return self.noticed + self.survived + self.excused

	def take(self, fault, answer, reason):
		if "error" in answer:
			die(f"{fault}: {answer['error']}")
		if "void" in answer:
			self.void += 1
		elif reason and not answer["by"]:
			self.excused += 1
			show(fault, f" equivalent: {reason}:")
		elif reason:
			self.survived += 1
			show(fault, f" listed as equivalent, but {answer['by']} notices it:")
		elif answer["by"]:
			self.noticed += 1
		else:
			self.survived += 1
			show(fault)
		result = answer.get("void") or (f"{answer['by']}: {answer['how']}"
						if answer["by"] else "unnoticed")
		self.log.write(f"{fault.path}:{fault.line}: {fault.function}: - {fault.original} "
			       f"/ + {fault.mutated}: {result}\n")
		self.log.flush()

	def end(self):
		total = self.noticed + self.survived
		share = 100.0 * self.noticed / total if total else 100.0
		print(f"{self.noticed} passed, {self.survived} failed, {self.excused} skipped: "
		      f"{share:.1f} % of the faults noticed")
		return 0 if share >= BAR else 1


def stale(listed, every, files):
	"""Entries of the list that no fault answers to any more."""
	known = {key(fault) for fault in every}
	gone = [entry for entry in listed if entry[0] in files and entry not in known]
	for entry in gone:
		print("tests/equivalent.txt: no such fault any more: {}: {}: - {} / + {}".format(*entry))
	return bool(gone)


def measure(base, jobs):
	works = [(base.measure, name) for name in base.checks]
	for name, answer in zip(base.checks, run_all(works, jobs)):
		if answer.get("error") or answer["wrong"]:
			die(f"{name} fails without a fault: {answer.get('error') or answer['wrong']}")
		base.cost[name] = (answer["cpu"], answer["wall"])


def main():
	repo, env = sys.argv[1], os.environ
	seed = int(env.get("SEED") or random.SystemRandom().randrange(1 << 31))
	count, jobs = int(env.get("N") or 300), int(env.get("JOBS") or 2)
	quick = bool(env.get("QUICK"))
	base = Base(repo, jobs, quick)
	files = chosen_files(base.card, (env.get("FILES") or "").split())
	sources = {}
	for path in files:
		with open(f"{base.card}/{path}") as f:
			sources[path] = faults.Source(path, f.read())
	every = [fault for path in files for fault in sources[path].faults]
	listed = read_equivalents(base.card + "/tests/equivalent.txt")
	bad = stale(listed, every, files)
	random.Random(seed).shuffle(every)
	print(f"# SEED={seed}: {min(count, len(every))} of {len(every)} faults in "
	      f"{len(files)} files", flush=True)
	measure(base, jobs)
	for path in files:
		if not base.order(path):
			die(f"{path} is in none of the programs: nothing could notice")

	works = ((Trial(base, sources[f.path], f, key(f) in listed).run, None) for f in every)
	report = Report(repo + "/build/mutate/log")
	for fault, answer in zip(every, run_all(works, jobs)):
		report.take(fault, answer, listed.get(key(fault)))
		if report.drawn() == count:
			break
	sys.exit(report.end() or bad)


if __name__ == "__main__":
	main()
