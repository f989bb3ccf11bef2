#!/bin/sh
# Generates code from IDL. With --check it generates into a temporary folder and compares.
# Without a compiler, --check only says so, unless SLUICE_REQUIRE_PEERS=1.
set -eu

# Another version writes other code: what is committed is what Debian 12's compiler makes.
wanted=0.17.0

# IDL, folder of the result, generator.
outputs() {
  cat <<'LIST'
idl/ledger.thrift         gen                js:node,ts,es6
idl/fb303.thrift          gen                js:node,ts,es6
bench/idl/bench.thrift    bench/gen          js:node,ts,es6
examples/scanner/scanner.thrift   examples/scanner/gen js:node,ts,es6
examples/counter/counter.thrift   examples/counter/gen js:node,ts,es6
examples/migrate/inventory.thrift examples/migrate/gen js:node,ts,es6
templates/service/idl/service_name.thrift templates/service/gen js:node,ts,es6
test/idl/probe.thrift     test/gen           js:node,ts,es6
test/idl/kinds.thrift     test/gen           js:node,ts,es6
test/idl/interop.thrift   test/gen           js:node,ts,es6
test/idl/interop.thrift   test/gen/callback  js:node
test/unit/cli/everything.thrift test/unit/cli/gen js:node,ts,es6
idl/ledger.thrift         test/gen/python    py
idl/fb303.thrift          test/gen/python    py
test/idl/probe.thrift     test/gen/python    py
test/idl/interop.thrift   test/gen/python    py
LIST
}

fail_or_skip() {
  echo "generate: $1" >&2
  if [ "${2:-}" = --check ] && [ "${SLUICE_REQUIRE_PEERS:-}" != 1 ]; then
    echo "generate: skipped: whether generated code is current" >&2
    exit 0
  fi
  exit 1
}

cd "$(dirname "$0")/.."
mode=${1:-}

if ! command -v thrift >/dev/null; then
  fail_or_skip "there is no Thrift compiler; install thrift $wanted (Debian 12: apt-get install thrift-compiler)" "$mode"
fi
version=$(thrift --version | sed 's/^Thrift version //')
if [ "$version" != "$wanted" ]; then
  fail_or_skip "the Thrift compiler has version $version, but $wanted is needed" "$mode"
fi

# Generates everything below the folder $1.
generate() {
  outputs | while read -r idl folder generator; do
    mkdir -p "$1/$folder"
    thrift -nowarn --gen "$generator" -out "$1/$folder" "$idl"
    if [ "$generator" = py ]; then
      # Command lines that nobody calls, and a package around the packages.
      rm -f "$1/$folder"/*/*-remote "$1/$folder/__init__.py"
    fi
  done
}

if [ "$mode" != --check ]; then
  generate .
  exit 0
fi

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT
generate "$made"
stale=0
for folder in $(outputs | awk '{ print $2 }' | sort -u); do
  for file in $(cd "$made/$folder" && find . -type f); do
    if ! diff -u "$folder/$file" "$made/$folder/$file"; then
      stale=1
    fi
  done
  # A generated file whose IDL is gone would live on.
  for file in "$folder"/*.js "$folder"/*.d.ts "$folder"/*/*.py; do
    if [ -e "$file" ] && [ ! -e "$made/$file" ]; then
      echo "generate: $file comes from no IDL" >&2
      stale=1
    fi
  done
done
if [ "$stale" = 1 ]; then
  echo "generate: generated code is not what the compiler makes; run: make gen" >&2
  exit 1
fi
