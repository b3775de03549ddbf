#!/bin/sh
# Renders an Application of this repository into its branch and pushes it. Runs in CI, in a clone that has HEAD.
#
#   push.sh APPLICATION.yaml BRANCH
set -eu
application=$1 branch=$2
tree=$(mktemp -d)
trap 'git worktree remove --force "$tree" 2>/dev/null || true' EXIT
git fetch origin "$branch" 2>/dev/null && git worktree add --force "$tree" FETCH_HEAD >/dev/null 2>&1 ||
  { git worktree add --force --detach "$tree" HEAD >/dev/null 2>&1 && git -C "$tree" checkout -q --orphan "$branch" && git -C "$tree" rm -rqf .; }
plugin argocd hydrate -f "$application" --revision "$(git rev-parse HEAD)" --out "$tree"
git -C "$tree" add -A
git -C "$tree" diff --cached --quiet -- '*manifest.yaml' && { echo "nothing changed"; exit 0; }
git -C "$tree" commit -qm "Render $(git rev-parse --short HEAD)"
git -C "$tree" push origin "HEAD:refs/heads/$branch"
