#!/bin/sh
# Says what to do when the Node.js that package.json pins is not there. $1: where it should be.
set -eu

node=$1
oldest=24

version=$("$node" -p process.versions.node 2>/dev/null) || version=
if [ -z "$version" ]; then
  echo "make: $node does not run. Its package downloads it in an install script: if npm is told not to run" >&2
  echo "those (npm config get ignore-scripts), run: npm rebuild node --ignore-scripts=false" >&2
  exit 1
fi
if [ "${version%%.*}" -lt "$oldest" ]; then
  echo "make: $node is Node.js $version, but $oldest or newer is needed. Run: make clean setup" >&2
  exit 1
fi
