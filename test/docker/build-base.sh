#!/bin/sh
# Makes a stand-in for the Dockerfile's base image where none can be pulled from a registry: a minimal Debian 12
# with this checkout's Node.js, npm and a user `node`, imported under the name that FROM uses. Needs root,
# debootstrap and a running engine; takes about a minute. $1: another Debian mirror than this machine's own.
set -eu

cd "$(dirname "$0")/../.."
image=$(sed -n 's/^FROM \(node:[^ ]*\).*/\1/p' Dockerfile | head -1)
node=$(readlink -f node_modules/.bin/node)
npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")

mirror_of_this_machine() {
  sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\{0,1\}\([^ ]*\).*/\2/p' \
    /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -1
}
mirror=${1:-$(mirror_of_this_machine)}
if [ -z "$mirror" ]; then
  echo "no mirror of Debian's packages is known here: give its address as the argument" >&2
  exit 1
fi

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
debootstrap --variant=minbase --include=ca-certificates bookworm "$root" "$mirror" >"$root.log" 2>&1 ||
  { tail -5 "$root.log" >&2; exit 1; }
rm -rf "$root.log" "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/*

cp "$node" "$root/usr/local/bin/node"
mkdir -p "$root/usr/local/lib/node_modules" "$root/usr/local/etc"
cp -r "$npm" "$root/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
chroot "$root" useradd --create-home --uid 1000 node

# The registry, and who vouches for it, as npm has them on this machine.
echo "registry=$(npm config get registry)" >"$root/usr/local/etc/npmrc"
# (Which npm is asked depends on the path, and with it whose settings are read: the system's own come last.)
for authority in "${NODE_EXTRA_CA_CERTS:-}" "$(npm config get cafile)" /etc/ssl/certs/ca-certificates.crt; do
  if [ -f "$authority" ]; then
    cp "$authority" "$root/usr/local/etc/npm-ca.crt"
    echo "cafile=/usr/local/etc/npm-ca.crt" >>"$root/usr/local/etc/npmrc"
    break
  fi
done

tar -C "$root" -c . | docker import --change 'CMD ["node"]' - "$image" >/dev/null
echo "$image stands in for the published image of that name"
