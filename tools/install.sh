#!/bin/sh
# Installs what package-lock.json says, Node.js 24 included. Quiet unless it fails.
set -eu

if ! command -v npm >/dev/null; then
  echo "make: npm is missing. Install Node.js 20 or newer together with npm." >&2
  exit 1
fi
echo "Installing the packages of package-lock.json and Node.js 24 into node_modules (once)…" >&2
if ! npm ci --no-update-notifier --no-progress >/dev/null; then
  echo "make: npm ci failed; see above. It needs the npm registry." >&2
  exit 1
fi
