#!/bin/sh
# Renders DIR, packs it and pushes it.
#
#   artifact.sh DIR REPOSITORY [TAG]      artifact.sh kubernetes/apps registry.example/cluster/apps main
#
# PUSH is the command that takes a layout and a reference; `crane push` when it is not set.
set -eu
directory=$1
repository=$2
tag=${3:-main}
layout=$(mktemp -d)
trap 'rm -rf "$layout"' EXIT

digest=$(plugin flux artifact "$directory" --output "$layout/oci" --tag "$tag" \
  --source "$(git config --get remote.origin.url)" \
  --revision "$(git rev-parse --abbrev-ref HEAD)@sha1:$(git rev-parse HEAD)")
${PUSH:-crane push} "$layout/oci" "$repository:$tag"
echo "$repository:$tag@$digest"
