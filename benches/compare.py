#!/usr/bin/env python3
"""Measures the plugin side by side with the tools that it replaces, in one run, as ratios.

  benches/compare.py --plugin target/release/plugin [--kubectl kubectl] [--sops sops] [--makejinja makejinja]
                     [--templates DIR] [--only TEXT] [--runs N] [--growth]

Runs of the two programs alternate, so that what else the machine does hits both. CPU seconds (user and
system, from the kernel's account of the child) are what to compare; the best of the runs is taken, since
noise only adds. A peer that is not named is looked for on PATH, and its rows are left out, visibly, when it
is not there. `--growth` gives the exponent of cost in the number of resources.
"""
import argparse
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def measure(command, directory):
    """Runs a command once; its CPU seconds, wall seconds and peak memory in MiB."""
    started = time.monotonic()
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} in {directory} failed:\n{error.decode(errors='replace')[:2000]}")
    return usage.ru_utime + usage.ru_stime, time.monotonic() - started, usage.ru_maxrss / 1024


def best(samples):
    """The least CPU and wall time and the highest memory of some runs."""
    cpu, wall, memory = zip(*samples)
    return min(cpu), min(wall), max(memory)


def pair(name, ours, theirs, directory, runs):
    """Measures two commands in turn and prints a row."""
    mine, peer = [], []
    for _ in range(runs):
        mine.append(measure(ours, directory))
        peer.append(measure(theirs, directory))
    show(name, mine, peer)


def show(name, mine, peer):
    """Prints a row."""
    (c1, w1, m1), (c2, w2, m2) = best(mine), best(peer)
    print(f"{name:34} {c1 * 1e3:9.1f} {c2 * 1e3:10.1f} {c2 / max(c1, 1e-6):7.1f}x {w2 / w1:7.1f}x {m1:7.1f} {m2:7.1f}")


def deployment(index):
    """One Deployment with what transformers like to touch."""
    return f"""apiVersion: apps/v1
kind: Deployment
metadata:
  name: app-{index}
  labels: {{app: app-{index}}}
spec:
  replicas: 2
  selector:
    matchLabels: {{app: app-{index}}}
  template:
    metadata:
      labels: {{app: app-{index}}}
    spec:
      serviceAccountName: app
      containers:
        - name: main
          image: registry.example.com/app:1.0.{index}
          envFrom: [{{configMapRef: {{name: settings}}}}]
          ports: [{{containerPort: 8080, name: http}}]
          resources: {{requests: {{cpu: 100m, memory: 64Mi}}}}
"""


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


KIND = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
FEATURES = KIND + """namespace: bench
namePrefix: a-
labels:
  - pairs: {team: bench}
    includeTemplates: true
commonAnnotations: {note: bench}
images:
  - name: registry.example.com/app
    newTag: "2.0"
configMapGenerator:
  - name: settings
    literals: [LEVEL=info]
resources: [all.yaml]
patches:
  - patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: app-1}
      spec: {template: {spec: {containers: [{name: main, env: [{name: A, value: b}]}]}}}
"""


def tree(top, count, kustomization):
    """A kustomization of `count` Deployments."""
    write(f"{top}/kustomization.yaml", kustomization)
    write(f"{top}/all.yaml", "---\n".join(deployment(i) for i in range(count)))
    return top


def crds(top, megabytes):
    """A kustomization of one file of large CustomResourceDefinitions, much description in it."""
    field = "                field{i}:\n                  description: " + "what this field is for, at length. " * 6 + "\n                  type: string\n"
    body = "".join(field.replace("{i}", str(i)) for i in range(400))
    crd = """apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata:
  name: things{n}.example.com
spec:
  group: example.com
  names: {kind: Thing{n}, plural: things{n}}
  scope: Namespaced
  versions:
    - name: v1
      served: true
      storage: true
      schema:
        openAPIV3Schema:
          type: object
          properties:
            spec:
              type: object
              properties:
""" + body
    copies = max(1, megabytes * 1_000_000 // len(crd))
    write(f"{top}/kustomization.yaml", KIND + "resources: [crds.yaml]\n")
    write(f"{top}/crds.yaml", "---\n".join(crd.replace("{n}", str(n)) for n in range(copies)))
    return top


def builds(top):
    """The directories that are built by both programs."""
    trivial = tree(f"{top}/trivial", 0, KIND + "configMapGenerator:\n  - name: a\n    literals: [b=c]\n")
    plain = FEATURES.split("patches:")[0]
    yield "trivial", trivial, 20
    yield "10 resources, strategic merge", tree(f"{top}/ten", 10, FEATURES), 15
    yield "1,000 resources, no patch", tree(f"{top}/thousand-plain", 1000, plain), 3
    yield "1,000 resources, all of it", tree(f"{top}/thousand", 1000, FEATURES), 3
    yield "12 MB of CRDs", crds(f"{top}/crds", 12), 3


TEMPLATE = """---
apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata:
  name: app-INDEX
  labels:
    #% for key, value in labels | dictsort %#
    #{ key }#: #{ value | default('none', true) }#
    #% endfor %#
spec:
  interval: 1h
  values:
    #% if features.app_INDEX | default(features.all) %#
    replicas: #{ nodes | length if nodes | length < 3 else 3 }#
    #% endif %#
    env:
      DOMAIN: "app-INDEX.#{ domain }#"
      NODES: "#{ nodes | map(attribute='name') | join(',') }#"
    nodes:
      #% for node in nodes %#
      - name: #{ node.name | upper }#
        address: #{ node.address }#
        #% if node.controller %#
        role: controller
        #% elif loop.last %#
        role: last
        #% endif %#
      #% endfor %#
    #| A comment that leaves no line. #|
    text: #{ "{{ .Values.x }}" }#
"""

TOML = """[makejinja]
inputs = ["./templates"]
output = "./"
data = ["./values.yaml"]
jinja_suffix = ".j2"
force = true
copy_metadata = true
undefined = "chainable"
[makejinja.delimiter]
block_start = "#%"
block_end = "%#"
comment_start = "#|"
comment_end = "#|"
variable_start = "#{"
variable_end = "}#"
"""


def templates(top, count):
    """A tree of templates in the form of a cluster repository's."""
    write(f"{top}/makejinja.toml", TOML)
    nodes = "".join(f"  - {{name: node-{n}, address: 10.0.0.{n}, controller: {str(n < 4).lower()}}}\n" for n in range(1, 9))
    write(f"{top}/values.yaml", f"domain: example.com\nfeatures: {{all: true}}\nlabels: {{team: a, tier: b, owner: ''}}\nnodes:\n{nodes}")
    for index in range(count):
        path = f"{top}/templates/kubernetes/apps/group-{index % 20}/app-{index}/app/helmrelease.yaml.j2"
        write(path, TEMPLATE.replace("INDEX", str(index)))
    return top


def rendered(plugin, makejinja, directory, top, runs, only):
    """Compares makejinja and `template` on a tree: into a directory that is new each time, and into one that has it all."""
    fresh = "templates, a fresh OUT"
    if only in fresh:
        mine, peer = [], []
        for run in range(runs):
            mine.append(measure([plugin, "template", "-o", f"{top}/ours-{run}"], directory))
            peer.append(measure([makejinja, "-q", "-o", f"{top}/theirs-{run}"], directory))
        show(fresh, mine, peer)
    existing = "templates, an existing OUT"
    if only in existing:
        pair(existing, [plugin, "template", "-o", f"{top}/ours"], [makejinja, "-q", "-o", f"{top}/theirs"], directory, runs)


def seal(sops, path, text, recipient):
    """Seals a manifest with the real sops, its `data` and `stringData` only."""
    write(path, text)
    subprocess.run([sops, "encrypt", "--age", recipient, "--encrypted-regex", "^(data|stringData)$", "-i", path], check=True)


def secret(index, values):
    """A Secret of some values."""
    rows = "".join(f"  {name}: {value}\n" for name, value in values)
    return f"apiVersion: v1\nkind: Secret\nmetadata: {{name: secret-{index}}}\nstringData:\n{rows}"


def sealed(top, plugin, sops):
    """What is opened by both programs: name, commands, the number of runs. Needs `age-keygen`."""
    os.makedirs(f"{top}/sealed/many", exist_ok=True)
    key = f"{top}/sealed/keys.txt"
    subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
    recipient = subprocess.run(["age-keygen", "-y", key], check=True, capture_output=True, text=True).stdout.strip()
    os.environ["SOPS_AGE_KEY_FILE"] = key
    files = [f"{top}/sealed/many/{index}.yaml" for index in range(100)]
    for index, path in enumerate(files):
        seal(sops, path, secret(index, [("user", "app"), ("password", f"of-{index}-only")]), recipient)
    names = "".join(f"  - {index}.yaml\n" for index in range(100))
    write(f"{top}/sealed/many/kustomization.yaml", KIND + "resources:\n" + names)
    loop = f'for file in {" ".join(files)}; do {sops} -d "$file" || exit 1; done'
    yield "one sealed file", [plugin, "decrypt", files[0]], [sops, "-d", files[0]], 20
    yield "100 sealed files, one render", [plugin, "render", f"{top}/sealed/many"], ["sh", "-c", loop], 5
    keys, large = f"{top}/sealed/keys.yaml", f"{top}/sealed/large.yaml"
    seal(sops, keys, secret(0, [(f"key-{n}", f"value-{n}") for n in range(2000)]), recipient)
    seal(sops, large, secret(0, [("blob", "x" * 1_000_000)]), recipient)
    yield "sealed, 2,000 keys", [plugin, "decrypt", keys], [sops, "-d", keys], 10
    yield "sealed, one value of 1 MB", [plugin, "decrypt", large], [sops, "-d", large], 10


def growth(plugin, top):
    """Prints the CPU seconds of growing builds and the exponent between neighbours."""
    before = None
    for count in (1000, 5000, 20000):
        directory = tree(f"{top}/growth-{count}", count, FEATURES)
        cpu, _, memory = best([measure([plugin, "render", directory], top) for _ in range(5)])
        exponent = "" if before is None else f"  exponent {math.log(cpu / before[1]) / math.log(count / before[0]):.2f}"
        print(f"{count:7} resources {cpu * 1e3:9.1f} ms CPU {memory:8.1f} MiB{exponent}")
        before = (count, cpu)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugin", default=os.path.join(HERE, "..", "target", "release", "plugin"))
    parser.add_argument("--kubectl", default="kubectl")
    parser.add_argument("--makejinja", default="makejinja")
    parser.add_argument("--templates", help="a directory with a makejinja.toml, instead of 340 made-up templates")
    parser.add_argument("--sops", default="sops", help="the program itself, not a wrapper in another language")
    parser.add_argument("--only", default="")
    parser.add_argument("--runs", type=int, default=0)
    parser.add_argument("--growth", action="store_true")
    options = parser.parse_args()
    plugin = os.path.abspath(options.plugin)
    with tempfile.TemporaryDirectory() as top:
        if options.growth:
            growth(plugin, top)
            return
        print(f"{'':34} {'ms CPU':>9} {'ms CPU':>10} {'CPU':>8} {'wall':>8} {'MiB':>7} {'MiB':>7}")
        print(f"{'':34} {'plugin':>9} {'peer':>10} {'ratio':>8} {'ratio':>8} {'plugin':>7} {'peer':>7}")
        kubectl = shutil.which(options.kubectl)
        if not kubectl:
            print("kubectl is not there: the builds are not compared")
        for name, directory, runs in builds(top) if kubectl else ():
            if options.only in name:
                pair(name, [plugin, "render", directory], [kubectl, "kustomize", directory], top, options.runs or runs)
        makejinja = shutil.which(options.makejinja)
        if not makejinja:
            print("makejinja is not there: templates are not compared")
        else:
            directory = os.path.abspath(options.templates) if options.templates else templates(f"{top}/templates", 340)
            rendered(plugin, makejinja, directory, top, options.runs or 7, options.only)
        sops = shutil.which(options.sops)
        if not sops or not shutil.which("age-keygen"):
            print("sops or age-keygen is not there: opening sealed files is not compared")
            return
        for name, ours, theirs, runs in sealed(top, plugin, sops):
            if options.only in name:
                pair(name, ours, theirs, top, options.runs or runs)


main()
