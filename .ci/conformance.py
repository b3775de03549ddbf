#!/usr/bin/env python3
"""Runs the conformance suites beside the checkout and holds each one to its floor.

  conformance.py PLUGIN

The floors stand in .ci/floors. A suite below its floor fails; so does a floor below the highest value
that the file ever had, and CI=true without the suites. The suites that are absent are named.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
SUITES = os.path.join(HERE, "..", "..", "shared", "conformance")


def floors(text):
    """The lines `suite number`, comments left out."""
    rows = (line.split() for line in text.splitlines() if line.strip() and not line.startswith("#"))
    return {name: int(number) for name, number in rows}


def highest_in_history():
    """The highest value that each floor ever had; nothing outside a Git checkout."""
    git = lambda *words: subprocess.run(["git", "-C", HERE, *words], capture_output=True, text=True).stdout
    highest = {}
    for commit in git("log", "--format=%H", "--", "floors").split():
        for name, number in floors(git("show", f"{commit}:./floors")).items():
            highest[name] = max(number, highest.get(name, 0))
    return highest


def run(words, report):
    """Runs a suite's runner and returns the report that it wrote."""
    done = subprocess.run([sys.executable, *words, "--json", report], capture_output=True, text=True)
    if not os.path.exists(report):
        sys.exit(f"{words[0]} wrote no report:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    with open(report, encoding="utf-8") as file:
        return json.load(file)


def kustomize(plugin, scratch):
    """Yields a row for each class of cases: kustomize-CLASS, passed, total, the names of what fails."""
    words = [f"{SUITES}/run_conformance.py", "--cases", f"{SUITES}/kustomize", "--cmd", f"{plugin} render"]
    if not shutil.which("helm"):
        print("kustomize-helm           skipped: there is no helm")
        words += ["--class", "core,legacy,exec-plugin,container-plugin,network"]
    report = run(words, f"{scratch}/kustomize.json")
    for name, counts in sorted(report["classes"].items()):
        failed = [r["id"] for r in report["results"] if r["class"] == name and not r["pass"]]
        yield f"kustomize-{name}", counts["pass"], counts["total"], failed


def sops(plugin, scratch):
    """Yields a row for each of the two SOPS suites."""
    for suite in ("sops", "sops-pq"):
        words = [f"{SUITES}/run_sops.py", "--cases", f"{SUITES}/{suite}", "--cmd", f"{plugin} decrypt", "--check-leaks"]
        report = run(words, f"{scratch}/{suite}.json")
        yield suite, report["passed"], report["total"], list(report["failures"])


def makejinja(plugin, scratch):
    """Yields a row for each tree and for the expressions."""
    words = [f"{SUITES}/makejinja/run_makejinja.py", "--cmd", f"{plugin} template"]
    report = run(words, f"{scratch}/makejinja.json")
    for name, counts in report.items():
        yield f"makejinja-{name}", counts["passed"], counts["total"], counts.get("failed", [])


def main():
    plugin = os.path.abspath(sys.argv[1])
    if not os.path.isdir(SUITES):
        print("conformance: the suites of ../shared/conformance are absent: nothing is compared with the reference tools")
        sys.exit(1 if os.environ.get("CI") == "true" else 0)
    with open(os.path.join(HERE, "floors"), encoding="utf-8") as file:
        floor = floors(file.read())
    wrong = [f"the floor of {name} is {floor.get(name, 0)}, but it was {number} before"
             for name, number in highest_in_history().items() if floor.get(name, 0) < number]
    with tempfile.TemporaryDirectory() as scratch:
        for suite in (kustomize, sops, makejinja):
            for name, passed, total, failed in suite(plugin, scratch):
                print(f"{name:24} {passed}/{total}  (floor {floor.get(name, 0)})")
                for case in failed[:12]:
                    print(f"  fails: {case}")
                if passed < floor.get(name, 0):
                    wrong.append(f"{name} passes {passed} cases, fewer than its floor of {floor[name]}")
    for line in wrong:
        print(f"conformance: {line}")
    sys.exit(1 if wrong else 0)


main()
