#!/bin/sh
# Renders directories into a branch of their own, and pushes it when something changed.
#
#   branch.sh BRANCH NAME=DIR...          branch.sh rendered apps=kubernetes/apps infra=kubernetes/infra
#
# REMOTE is where the branch is; `origin` when it is not set.
set -eu
branch=$1
shift
remote=${REMOTE:-origin}
tree=$(mktemp -d)
trap 'git worktree remove --force "$tree" 2>/dev/null || rm -rf "$tree"' EXIT

if git fetch --quiet --depth 1 "$remote" "$branch" 2>/dev/null; then
  git worktree add --quiet --force --detach "$tree" FETCH_HEAD
else
  git worktree add --quiet --force --detach "$tree" HEAD
  git -C "$tree" checkout --quiet --orphan "$branch"
  git -C "$tree" rm -r --quiet --force .
fi
for pair in "$@"; do
  plugin render "${pair#*=}" --output "$tree/${pair%%=*}/" --secrets keep --flux-escape
done
git -C "$tree" add --all
if git -C "$tree" diff --cached --quiet; then
  echo "$branch is as it was"
else
  git -C "$tree" commit --quiet --message "Render $(git rev-parse --short HEAD)"
  git -C "$tree" push --quiet "$remote" "HEAD:refs/heads/$branch"
  echo "$branch is $(git -C "$tree" rev-parse HEAD)"
fi
