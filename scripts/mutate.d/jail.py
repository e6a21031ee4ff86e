# SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0
"""A place where a faulty program may do what it likes.

Namespaces of its own for processes, mounts and the network: it finds an empty /tmp, a
kill(-1) of it ends nobody else, and what it leaves running ends with it.
"""
import ctypes
import json
import os
import resource
import signal
import subprocess
import time

MS_BIND = 0x1000
# A faulty program may take this much more processor time than the right one, and some
# seconds at least, since the kernel counts whole ones.
CPU_FACTOR, CPU_LEAST = 8, 3
# Nothing in the jail runs or wants to for so long: it waits for what never comes.
IDLE_S = 10
# The last resort, far beyond what a busy machine needs.
WALL_FACTOR, WALL_LEAST = 40, 300
MEMORY_BYTES, FILE_BYTES = 8 << 30, 64 << 20

libc = ctypes.CDLL(None, use_errno=True)


def mount(source, target, fstype, flags):
	args = [s and s.encode() for s in (source, target, fstype)]
	if libc.mount(*args, ctypes.c_ulong(flags), None):
		raise OSError(ctypes.get_errno(), "mount on " + target)


def start(work, argument):
	"""Run work(argument) in a new jail.  Return the pid to wait for, and a descriptor
	on which its answer comes as JSON."""
	read, write = os.pipe()
	outer = os.fork()
	if outer:
		os.close(write)
		return outer, read
	os.close(read)
	try:
		os.unshare(os.CLONE_NEWPID | os.CLONE_NEWNS | os.CLONE_NEWNET)
		inner = os.fork()
		if not inner:
			inside(work, argument, write)
		os.waitpid(inner, 0)
	finally:
		os._exit(0)


def inside(work, argument, write):
	try:
		# the lab has made all mounts private
		mount("tmpfs", "/tmp", "tmpfs", 0)
		try:
			mount("proc", "/proc", "proc", 0)
		except OSError:
			pass	# a container may forbid it: then nobody sees who idles
		answer = work(argument)
	except Exception as e:
		answer = {"error": repr(e)}
	os.write(write, json.dumps(answer).encode())
	os._exit(0)


def limits(cpu):
	def apply():
		os.setpgid(0, 0)
		if cpu:
			resource.setrlimit(resource.RLIMIT_CPU, (cpu, cpu))
		resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
		resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_BYTES, FILE_BYTES))
		resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
	return apply


def processor_time():
	"""Ticks that all processes of the jail but the first have used, or None if one
	would like to run, or isn't visible."""
	ticks, seen = 0, False
	for pid in os.listdir("/proc"):
		if not pid.isdigit() or pid == "1":
			continue
		try:
			with open("/proc/" + pid + "/stat") as f:
				fields = f.read().rpartition(")")[2].split()
		except OSError:
			continue
		if fields[0] not in "SZ":
			return None
		seen = True
		ticks += int(fields[11]) + int(fields[12])
	return ticks if seen else None


def end_others():
	"""Whoever else is in the jail goes."""
	try:
		os.kill(-1, signal.SIGKILL)
	except ProcessLookupError:
		pass
	try:
		while os.wait3(os.WNOHANG)[0]:
			pass
	except ChildProcessError:
		pass


def wait(child, wall):
	"""Wait for a child.  Return its status as wait() has it and its seconds of
	processor time, or what became of it instead."""
	began = idle_since = time.monotonic()
	ticks, pause, mine = None, 0.002, os.path.exists("/proc/1/stat") and os.getpid() == 1
	while True:
		pid, status, used = os.wait4(child.pid, os.WNOHANG)
		if pid:
			child.returncode = status
			return status, used.ru_utime + used.ru_stime
		now, before = time.monotonic(), ticks
		if mine and pause > 0.2:
			ticks = processor_time()
		if ticks is None or ticks != before:
			idle_since = now
		if now - began > wall or now - idle_since > IDLE_S:
			return "hangs", 0
		time.sleep(pause)
		pause = min(pause * 1.5, 0.25)


def run(argv, cpu=0.0, wall=0.0, env=None):
	"""Run a program; @cpu and @wall are the seconds that the right one takes, 0: no limit.

	Return what is wrong with how it ended (None: nothing) and its seconds of
	processor time."""
	child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
				 stderr=subprocess.DEVNULL, env=env,
				 preexec_fn=limits(cpu and max(CPU_LEAST, int(CPU_FACTOR * cpu) + 1)))
	status, used = wait(child, max(WALL_LEAST, WALL_FACTOR * wall))
	end_others()
	if status == "hangs":
		return status, used
	if os.WIFSIGNALED(status):
		name = signal.Signals(os.WTERMSIG(status)).name
		return ("takes too long" if name in ("SIGXCPU", "SIGKILL") else name), used
	return (f"status {os.WEXITSTATUS(status)}" if status else None), used
