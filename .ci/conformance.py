#!/usr/bin/env python3
"""Runs the conformance suites beside the checkout and holds each one to its floor.

  conformance.py PLUGIN

The floors stand in .ci/floors. A suite below its floor fails; so does a floor below the highest value
that the file ever had, and CI=true without the suites. The suites that are absent are named.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

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
            highest[name] = max(number, highest.get(name, number))
    return highest


def run(words, report):
    """Runs a suite's runner and returns the report that it wrote."""
    done = subprocess.run([sys.executable, *words, "--json", report], capture_output=True, text=True)
    if not os.path.exists(report):
        sys.exit(f"{words[0]} wrote no report:\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    with open(report, encoding="utf-8") as file:
        return json.load(file)


def kustomize(plugin, scratch):
    """Yields a row for each level and class of cases: kustomize-CLASS at 5.7 and
    kustomize-5.8-CLASS, passed, total, the names of what fails."""
    classes = "core,legacy,exec-plugin,container-plugin,network"
    if shutil.which("helm"):
        classes += ",helm"
    else:
        print("kustomize-*-helm         skipped: there is no helm")
    for level, prefix in (("5.7", "kustomize"), ("5.8", "kustomize-5.8")):
        command = f"{plugin} render --kustomize-version {level}"
        words = [f"{SUITES}/run_conformance.py", "--cases", f"{SUITES}/kustomize", "--level", level, "--cmd", command,
                 "--class", classes]
        report = run(words, f"{scratch}/kustomize.json")
        for name, counts in sorted(report["classes"].items()):
            failed = [r["id"] for r in report["results"] if r["class"] == name and not r["pass"]]
            yield f"{prefix}-{name}", counts["pass"], counts["total"], failed


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


# The suites whose runner ends with `N passed, M failed`: floor, folder, further arguments.
RUNNERS = [
    ("argocd", "argocd", []),
    ("argocd-sync", "argocd-sync", []),
    ("flux", "flux", []),
    ("cilium", "cilium", []),
    ("admission", "admission", []),
    ("updates", "updates", []),
    ("cnpg", "cnpg", []),
    ("kustomize-cli-5.7", "kustomize-cli", ["--level", "5.7", "--compare", "kept"]),
    ("kustomize-cli-5.8", "kustomize-cli", ["--level", "5.8", "--compare", "kept"]),
    ("kustomize-cli-bytes-5.7", "kustomize-cli", ["--level", "5.7", "--compare", "bytes", "--edit-flag=--reference-bytes"]),
    ("kustomize-cli-bytes-5.8", "kustomize-cli", ["--level", "5.8", "--compare", "bytes", "--edit-flag=--reference-bytes"]),
    ("applicationsets", "applicationsets", []),
    ("loaders", "loaders", []),
    ("sops-cli", "sops-cli", []),
]

# Mistakes that a runner counts: a floor holds the number with a minus, so that it can only come nearer to 0.
MISTAKES = [
    ("cilium-dangerous", "cilium", r"says allowed, Cilium drops: (\d+)"),
    ("cilium-false", "cilium", r"says denied, Cilium allows: (\d+)"),
    ("admission-false-alarms", "admission", r"false alarms (\d+)"),
]

FINDINGS = ("hosts", "secrets", "security", "templates", "cnpg", "flows", "cluster", "reports")


def printed(words):
    """What a program printed on both streams."""
    return subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout


def runners(plugin, _):
    """Yields a row for each runner, and one for each kind of mistake that it counts."""
    for floor, folder, arguments in RUNNERS:
        said = printed([sys.executable, f"{SUITES}/{folder}/run.py", "--bin", plugin, "--list-failures", *arguments])
        counts = re.search(r"^(\d+) passed, (\d+) failed", said, re.M)
        if not counts:
            sys.exit(f"{folder}/run.py did not end with its summary:\n{said[-2000:]}")
        passed, failed = map(int, counts.groups())
        names = [line.split(": ")[0].removeprefix("FAIL ") for line in said.splitlines() if line.startswith("FAIL ")]
        yield floor, passed, passed + failed, names
        for mistake, of, pattern in MISTAKES:
            if of == floor:
                yield mistake, -int(re.search(pattern, said).group(1)), 0, []


def findings(plugin, _):
    """Yields a row for each area of the findings."""
    for area in FINDINGS:
        said = printed(["bash", f"{SUITES}/../findings/run_all.sh", f"{SUITES}/../findings/{area}", plugin])
        counts = re.search(r"^passed (\d+)/(\d+)", said, re.M)
        if not counts:
            sys.exit(f"the findings of {area} did not end with their summary:\n{said[-2000:]}")
        failed = [line.split(": ")[0].removeprefix("fail ") for line in said.splitlines() if line.startswith("fail ")]
        yield f"findings-{area}", int(counts.group(1)), int(counts.group(2)), failed


def main():
    plugin = os.path.abspath(sys.argv[1])
    if not os.path.isdir(SUITES):
        print("conformance: the suites of ../shared/conformance are absent: nothing is compared with the reference tools")
        sys.exit(1 if os.environ.get("CI") == "true" else 0)
    with open(os.path.join(HERE, "floors"), encoding="utf-8") as file:
        floor = floors(file.read())
    wrong = [f"the floor of {name} is {floor.get(name, 0)}, but it was {number} before"
             for name, number in highest_in_history().items() if floor.get(name, min(0, number)) < number]
    with tempfile.TemporaryDirectory() as scratch:
        for suite in (kustomize, sops, makejinja, runners, findings):
            began = time.monotonic()
            for name, passed, total, failed in suite(plugin, scratch):
                print(f"{name:24} {passed}/{total}  (floor {floor.get(name, 0)})")
                for case in failed[:12]:
                    print(f"  fails: {case}")
                if name not in floor:
                    wrong.append(f"{name} has no floor in .ci/floors")
                elif passed < floor[name]:
                    wrong.append(f"{name} passes {passed} cases, fewer than its floor of {floor[name]}")
            print(f"{suite.__name__}: {time.monotonic() - began:.0f} s")
    for line in wrong:
        print(f"conformance: {line}")
    sys.exit(1 if wrong else 0)


main()
