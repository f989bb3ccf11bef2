#!/bin/sh
# Installs what package-lock.json says, Node.js 24 included. Quiet unless it fails.
set -eu

if ! command -v npm >/dev/null; then
  echo "make: npm is missing. Install Node.js 20 or newer together with npm." >&2
  exit 1
fi
echo "Installing the packages of package-lock.json and Node.js 24 into node_modules (once)…" >&2
# The machine's own Node.js is older than `engines` asks for, and that is fine: it only installs. So no warnings.
# The deprecation warnings of the Node.js that runs npm are none of ours either.
if ! NODE_NO_WARNINGS=1 npm ci --no-audit --no-fund --no-update-notifier --no-progress --loglevel=error >/dev/null; then
  echo "make: npm ci failed; see above. It needs the npm registry." >&2
  exit 1
fi

# So that `npx sluice` in this checkout is this checkout, without npm asking what its engines are.
ln -sf ../../bin/sluice.js node_modules/.bin/sluice
