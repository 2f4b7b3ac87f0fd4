"""Formats the results as text."""
import os
import platform
import statistics

from .passes import cpu_per_request, throughput

MARKS = {"cpu": 1.10, "instructions": 1.55, "throughput": 0.88}


def machine():
    model = "unknown"
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{len(os.sched_getaffinity(0))} cores, {model}, Linux {platform.release()}"


def spread(ratios):
    """Formats the median and the interquartile range."""
    if len(ratios) < 4:
        return f"{statistics.median(ratios):.2f}"
    low, _, high = statistics.quantiles(ratios, n=4)
    return f"{statistics.median(ratios):.3f} ({low:.3f}..{high:.3f})"


def table(rows):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        print("| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |")
        if not number:
            print("|" + "|".join("-" * (width + 2) for width in widths) + "|")
    print()


def timing(title, result):
    print(f"### {title}\n")
    rows = [["location", "CPU per request, us", "CPU, ratio", "requests/s", "throughput, ratio", "p50, us", "p99, us"]]
    for variant in result.variants:
        name = variant.name
        rows.append([variant.title, f"{result.median(name, cpu_per_request) * 1e6:.1f}",
                     spread(result.ratios(name, cpu_per_request)), f"{result.median(name, throughput):.0f}",
                     spread(result.ratios(name, throughput)), f"{result.median(name, lambda r: r['p50']):.0f}",
                     f"{result.median(name, lambda r: r['p99']):.0f}"])
    table(rows)
    for name in sorted(result.refused()):
        total = sum(r[name]["refused"] for r in result.rounds)
        print(f"{name}: {total} responses were not 200\n")


def instructions(counts, how, variants):
    print(f"### User-mode instructions per request ({how})\n")
    rows = [["location", "instructions", "ratio"]]
    for variant in variants:
        rows.append([variant.title, f"{counts[variant.name]:.0f}", f"{counts[variant.name] / counts[variant.base]:.2f}"])
    table(rows)


def memory(sizes, variants):
    print("### Memory of a worker process (PSS), each server with only what its location needs\n")
    rows = [["location", "KiB", "added to httpd alone, KiB"]]
    for variant in variants:
        rows.append([variant.title, f"{sizes[variant.name]:.0f}", f"{sizes[variant.name] - sizes['open0']:+.0f}"])
    table(rows)


def scale(sizes, results):
    print("### CPU per request by size of the tables, one grant in each connection\n")
    rows = [["participants", "grants", "unprotected, us", "SAuth, us", "ratio"]]
    for filled, result in zip(sizes, results):
        rows.append([str(filled.participants), str(filled.grants), f"{result.median('openi', cpu_per_request) * 1e6:.1f}",
                     f"{result.median('sauth', cpu_per_request) * 1e6:.1f}", spread(result.ratios("sauth", cpu_per_request))])
    table(rows)


def bodies(results, hashed):
    print("### Bodies: CPU per request of the server, one connection, pinned\n")
    rows = [["body", "location", "us", "added to discarding, us", "added, relative to plain hashing"]]
    for size, result in results.items():
        for variant in result.variants:
            more = statistics.median(cpu_per_request(r[variant.name]) - cpu_per_request(r["bopen"]) for r in result.rounds)
            rows.append([f"{size // 1024} KiB", variant.title, f"{result.median(variant.name, cpu_per_request) * 1e6:.0f}",
                         f"{more * 1e6:+.0f}", "" if variant.name == "bopen" else f"{more / hashed[size]:.2f}"])
    table(rows)


def verdict(pinned, unpinned, counts):
    """Compares our results, relative to the unprotected location of the same server, with the targets."""
    figures = {"cpu": statistics.median(pinned.ratios("sauth", cpu_per_request)),
               "instructions": counts["sauth"] / counts["openi"] if counts else None,
               "throughput": statistics.median(unpinned.ratios("sauth", throughput))}
    print("### Targets\n")
    rows = [["figure", "measured", "target", ""]]
    for name, mark in MARKS.items():
        value = figures[name]
        if value is not None:
            good = value >= mark if name == "throughput" else value <= mark
            rows.append([name, f"{value:.3f}", f"{'at least' if name == 'throughput' else 'at most'} {mark:.2f}",
                         "met" if good else "not met"])
    table(rows)
