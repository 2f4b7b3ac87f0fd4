"""The passes: timed rounds, instructions, memory, bodies. Each returns numbers for the report."""
import hashlib
import os
import statistics
import subprocess
import time

from . import site
from .load import Load
from .server import Server


def cpus():
    return sorted(os.sched_getaffinity(0))


def rotated(items, by):
    by %= len(items)
    return items[by:] + items[:by]


class Timing:
    """Rounds of all variants in rotating order. Ratios are to the base of the variant in the same round."""

    def __init__(self, variants):
        self.variants = variants
        self.rounds = []  # of {name: report}

    def add(self, reports):
        self.rounds.append(reports)

    def refused(self):
        return {v.name for v in self.variants if any(r[v.name]["refused"] for r in self.rounds)}

    def ratios(self, name, value):
        base = next(v.base for v in self.variants if v.name == name)
        return sorted(value(r[name]) / value(r[base]) for r in self.rounds)

    def median(self, name, value):
        return statistics.median(value(r[name]) for r in self.rounds)


def cpu_per_request(report):
    return report["cpu"] / report["requests"]


def throughput(report):
    return report["requests"] / report["seconds"]


def timing(programs, servers, variants, connections, seconds, rounds, pinned, say):
    """`servers` is a dictionary by family."""
    all_cpus = cpus()
    server_cpus, client_cpus = ({all_cpus[0]}, {all_cpus[-1]}) if pinned else (set(all_cpus), set(all_cpus))
    for server in servers.values():
        server.pin(server_cpus)
    result = Timing(variants)
    for number in range(rounds):
        reports = {}
        for variant in rotated(variants, number):
            reports[variant.name] = Load(programs, servers[variant.family], variant, connections, client_cpus, seconds).run()
        result.add(reports)
        say(f"round {number + 1} of {rounds}")
    for server in servers.values():
        server.pin(set(all_cpus))
    return result


# --- instructions


def perf_works():
    try:
        done = subprocess.run(["perf", "stat", "-x,", "-e", "instructions:u", "true"], capture_output=True, text=True)
    except FileNotFoundError:
        return False
    return done.returncode == 0 and done.stderr.split(",")[0].isdigit()


def count_with_perf(programs, pid, run):
    out = subprocess.Popen(["perf", "stat", "-x,", "-e", "instructions:u", "-p", str(pid)], stderr=subprocess.PIPE, text=True)
    time.sleep(0.5)
    run()
    out.send_signal(2)
    return int(out.communicate()[1].split(",")[0])


def count_by_steps(programs, pid, run):
    counter = subprocess.Popen([str(programs.count), str(pid)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(counter.pid, os.sched_getaffinity(pid))
    counter.stdout.readline()
    run()
    return int(counter.communicate()[0])


def instructions(programs, server_of, variants, requests, say):
    """Returns the user-mode instructions of one request by variant, with one connection."""
    one_cpu = {cpus()[0]}  # tracer and traced process run alternately
    count = count_with_perf if perf_works() else count_by_steps
    result = {}
    for chosen in site.families(variants).values():
        with server_of(chosen, single=True) as server:
            server.pin(one_cpu)
            for variant in chosen:
                times = 1 if variant.peer and variant.token else requests  # their tokens are long
                load = Load(programs, server, variant, requests=times)
                result[variant.name] = count(programs, server.workers()[0], load.run) / times
                say(f"instructions: {variant.title}")
    return result, "perf stat" if count is count_with_perf else "single-stepped"


# --- memory


def memory(programs, server_of, variants, seconds, connections, say):
    """Returns the size of a worker in KiB by variant, each in a server with only the modules that it needs."""
    result = {}
    for variant in variants:
        with server_of([variant]) as server:
            Load(programs, server, variant, connections, seconds=seconds).run()
            result[variant.name] = server.memory()
        say(f"memory: {variant.title}")
    return result


# --- many participants and grants


def scale(programs, server_of, sizes, seconds, rounds, say):
    """Returns a list of Timing of the SAuth and the unprotected location, by size of the tables, with pinned processes."""
    all_cpus, results = cpus(), []
    variants = [variant for variant in site.VARIANTS if variant.name in ("openi", "sauth")]
    for filled in sizes:
        with server_of(variants, filled=filled) as server:
            server.pin({all_cpus[0]})
            result = Timing(variants)
            for number in range(rounds):
                result.add({variant.name: Load(programs, server, variant, server.connections, {all_cpus[-1]}, seconds).run()
                            for variant in rotated(variants, number)})
            results.append(result)
        say(f"{filled.participants} participants, {filled.grants} grants")
    return results


# --- bodies


def plain_hash(size):
    """Returns the time to hash this number of bytes, in seconds."""
    data = bytes(min(size, 1 << 20))
    began, done = time.process_time(), 0
    while time.process_time() - began < 0.1:
        hashlib.sha256(data).digest()
        done += len(data)
    return (time.process_time() - began) * size / done


def bodies(programs, server, variants, sizes, seconds, rounds, say):
    """Returns {size: Timing}, with server and client on different processors."""
    all_cpus = cpus()
    server.pin({all_cpus[0]})
    results = {}
    for size in sizes:
        results[size] = Timing(variants)
        for number in range(rounds):
            reports = {}
            for variant in rotated(variants, number):
                load = Load(programs, server, variant, 1, {all_cpus[-1]}, seconds, body=size, digest=variant.name != "bopen")
                reports[variant.name] = load.run()
            results[size].add(reports)
        say(f"bodies of {size} bytes")
    return results


def make_server(build, connections):
    return lambda variants, **options: Server(variants, build, options.pop("connections", connections), **options)
