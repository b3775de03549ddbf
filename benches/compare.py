#!/usr/bin/env python3
"""Measures the plugin side by side with the tools that it replaces, in one run, as ratios.

  benches/compare.py --plugin target/release/plugin [--kubectl kubectl] [--sops sops] [--makejinja makejinja]
                     [--templates DIR] [--only TEXT] [--runs N] [--growth]

Runs of the two programs alternate, so that what else the machine does hits both. CPU seconds (user and
system, from the kernel's account of the child) are what to compare; the best of the runs is taken, since
noise only adds. A peer that is not named is looked for on PATH, and its rows are left out, visibly, when it
is not there. `--growth` gives the exponent of cost in the number of resources.

The kernel counts what a child had before it became the program to its peak memory, which is all of Python
for a child of Python. So each run is started by /usr/bin/time where that is there, whose own memory is small.
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


def peak(command, directory):
    """The peak memory of a command in MiB, by a small parent; `None` where there is none."""
    launcher = shutil.which("time")
    if not launcher:
        return None
    done = subprocess.run([launcher, "-f", "%M", *command], cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    return int(done.stderr.split()[-1]) / 1024


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
    show(name, mine, peer, peak(ours, directory), peak(theirs, directory))


def show(name, mine, peer, *peaks):
    """Prints a row; the peaks of memory are those of the runs where none are given."""
    (c1, w1, m1), (c2, w2, m2) = best(mine), best(peer)
    m1, m2 = (of_a_small_parent or of_the_runs for of_a_small_parent, of_the_runs in zip(peaks or (None, None), (m1, m2)))
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


CRD_HEAD = """apiVersion: apiextensions.k8s.io/v1
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
"""


def crds(top, megabytes):
    """A kustomization of one file of large CustomResourceDefinitions, much description in it."""
    field = "                field{i}:\n                  description: " + "what this field is for, at length. " * 6 + "\n                  type: string\n"
    body = "".join(field.replace("{i}", str(i)) for i in range(400))
    crd = CRD_HEAD + body
    copies = max(1, megabytes * 1_000_000 // len(crd))
    write(f"{top}/kustomization.yaml", KIND + "resources: [crds.yaml]\n")
    write(f"{top}/crds.yaml", "---\n".join(crd.replace("{n}", str(n)) for n in range(copies)))
    return top


CRD_FIELD = "                  field{i}:\n                    description: what this field is for and what happens when it is not set\n                    type: string\n"


def platform(top, applications=44, objects=15):
    """A build as large as kubeflow's: 660 objects of 12 MB, in bases below overlays of their own and one on top.

    Each application has two large CustomResourceDefinitions; its base is patched and labelled, its overlay
    gives names, images and settings, and the top one a label to everything.
    """
    write(f"{top}/kustomization.yaml", KIND + "labels:\n  - pairs: {platform: bench}\nresources:\n"
          + "".join(f"  - apps/{a}/overlays/site\n" for a in range(applications)))
    body = "".join(CRD_FIELD.replace("{i}", str(i)) for i in range(1000))
    for a in range(applications):
        base, overlay = f"{top}/apps/{a}/base", f"{top}/apps/{a}/overlays/site"
        crds = "---\n".join(CRD_HEAD.replace("{n}", f"{a}x{n}") + body for n in range(2))
        write(f"{base}/crds.yaml", crds)
        for d in range(objects - 4):
            write(f"{base}/deployment-{d}.yaml", deployment(d).replace("app-", f"app-{a}-"))
        account = "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: app}\n"
        write(f"{base}/account.yaml", account)
        write(f"{base}/kustomization.yaml", KIND + f"labels:\n  - pairs: {{app: a{a}}}\n    includeSelectors: true\n"
              "resources: [crds.yaml, account.yaml, " + ", ".join(f"deployment-{d}.yaml" for d in range(objects - 4)) + "]\n")
        write(f"{overlay}/kustomization.yaml", KIND + f"resources: [../../base]\nnamespace: app-{a}\nnamePrefix: site-\n"
              "images:\n  - {name: registry.example.com/app, newTag: '2'}\n"
              "configMapGenerator:\n  - name: settings\n    literals: [LEVEL=info]\n"
              f"patches:\n  - target: {{kind: Deployment, name: app-{a}-1}}\n    patch: |-\n"
              "      - {op: replace, path: /spec/replicas, value: 3}\n")
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
    yield "660 objects, 12 MB, 88 overlays", platform(f"{top}/platform"), 3


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


def sealed(plugin, top):
    """Sealed files: rows of a name, our command, that of sops, and the runs."""
    with open(os.path.join(HERE, "..", "tests", "suite", "sops_fuzz.key"), encoding="utf-8") as file:
        os.environ["SOPS_AGE_KEY"] = file.read().strip()
    with open(os.path.join(HERE, "..", "tests", "suite", "sops_fuzz.pub"), encoding="utf-8") as file:
        recipient = file.read().strip()

    def seal(path, text):
        write(f"{top}/plain.yaml", text)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as target:
            command = [plugin, "encrypt", "--age", recipient, "--encrypted-regex", "^(data|stringData)$", f"{top}/plain.yaml"]
            subprocess.run(command, stdout=target, check=True)
        return path

    secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: NAME\nstringData:\n"
    small = secret.replace("NAME", "small") + "  username: admin\n  password: correct horse battery staple\n"
    yield "one small sealed file", ["decrypt", seal(f"{top}/one/small.yaml", small)], 20
    many = secret.replace("NAME", "many") + "".join(f"  key-{n}: value of the key {n}\n" for n in range(2000))
    yield "a sealed file of 2,000 keys", ["decrypt", seal(f"{top}/keys/many.yaml", many)], 10
    large = secret.replace("NAME", "large") + f"  value: {'0123456789abcdef' * 65536}\n"
    yield "a sealed value of 1 MB", ["decrypt", seal(f"{top}/value/large.yaml", large)], 10
    for count in range(100):
        seal(f"{top}/hundred/secret-{count}.yaml", small.replace("small", f"secret-{count}"))
    names = "".join(f"  - secret-{n}.yaml\n" for n in range(100))
    write(f"{top}/hundred/kustomization.yaml", KIND + "resources:\n" + names)
    yield "100 sealed files, one render", ["render", f"{top}/hundred"], 5


def opened(plugin, sops, top, runs, only):
    """Compares `sops -d` with `decrypt`, and with a render of many sealed files: there it runs once for each."""
    with open(sops, "rb") as program:
        if program.read(4) != b"\x7fELF":
            print(f"{sops} is a script that starts sops: name the program itself, which is four times as fast")
    for name, ours, usual in sealed(plugin, top):
        path = ours[-1]
        theirs = [sops, "-d", path]
        if ours[0] == "render":
            theirs = ["sh", "-c", 'for file in "$1"/secret-*; do "$0" -d "$file"; done', sops, path]
        if only in name:
            pair(name, [plugin, *ours], theirs, top, runs or usual)


def changed(plugin, sops, top, runs, only):
    """Compares what changes sealed files: `set`, the start of `edit`, and new recipients for 500 files.

    Each run works on a fresh copy; the time of copying counts for both."""
    with open(os.path.join(HERE, "..", "tests", "suite", "sops_fuzz.pub"), encoding="utf-8") as file:
        recipient = file.read().strip()
    other = "age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"
    rule = "creation_rules:\n- age: {}\n  encrypted_regex: ^(data|stringData)$\n"
    secret = "apiVersion: v1\nkind: Secret\nmetadata:\n  name: s\nstringData:\n  user: admin\n  password: horse\n"
    files = f"{top}/files"
    write(f"{files}/.sops.yaml", rule.format(recipient))
    for count in range(500):
        write(f"{files}/secret-{count}.yaml", secret)
        subprocess.run([plugin, "encrypt", "-i", f"{files}/secret-{count}.yaml"], check=True, cwd=files)
    write(f"{files}/.sops.yaml", rule.format(f"{recipient},{other}"))
    copy = 'rm -rf "$1/work" && cp -r "$1/files" "$1/work" && cd "$1/work" && '
    one = copy.replace('cp -r "$1/files" "$1/work"', 'mkdir "$1/work" && cp "$1/files/secret-0.yaml" "$1/work"')
    # An editor that changes nothing ends with 200 in both.
    edit = one + 'EDITOR=true {} edit secret-0.yaml; test $? = 200'
    rows = [
        ("set a value", one + "\"$0\" sops set secret-0.yaml '[\"stringData\"][\"user\"]' '\"x\"'",
         one + "\"$0\" set secret-0.yaml '[\"stringData\"][\"user\"]' '\"x\"'", 10),
        ("start an edit", edit.format('"$0" sops'), edit.format('"$0"'), 10),
        ("updatekeys of 500 files", copy + '"$0" secrets updatekeys --yes .',
         copy + 'for file in secret-*; do "$0" updatekeys -y "$file" 2>/dev/null; done', 2),
    ]
    for name, ours, theirs, usual in rows:
        if only in name:
            pair(name, ["sh", "-c", ours, plugin, top], ["sh", "-c", theirs, sops, top], top, runs or usual)


def growth(plugin, top):
    """Prints the CPU seconds of growing builds and the exponent between neighbours."""
    before = None
    for count in (1000, 5000, 20000):
        directory = tree(f"{top}/growth-{count}", count, FEATURES)
        command = [plugin, "render", directory]
        cpu, _, memory = best([measure(command, top) for _ in range(5)])
        memory = peak(command, top) or memory
        exponent = "" if before is None else f"  exponent {math.log(cpu / before[1]) / math.log(count / before[0]):.2f}"
        print(f"{count:7} resources {cpu * 1e3:9.1f} ms CPU {memory:8.1f} MiB{exponent}")
        before = (count, cpu)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--plugin", default=os.path.join(HERE, "..", "target", "release", "plugin"))
    parser.add_argument("--kubectl", default="kubectl")
    parser.add_argument("--sops", default="sops", help="the program itself, not a script that starts it")
    parser.add_argument("--makejinja", default="makejinja")
    parser.add_argument("--templates", help="a directory with a makejinja.toml, instead of 340 made-up templates")
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
        sops = shutil.which(options.sops)
        if not sops:
            print("sops is not there: sealed files are not compared")
        else:
            opened(plugin, sops, f"{top}/sealed", options.runs, options.only)
            changed(plugin, sops, f"{top}/changed", options.runs, options.only)
        makejinja = shutil.which(options.makejinja)
        if not makejinja:
            print("makejinja is not there: templates are not compared")
        else:
            directory = os.path.abspath(options.templates) if options.templates else templates(f"{top}/templates", 340)
            rendered(plugin, makejinja, directory, top, options.runs or 7, options.only)


main()
