#!/usr/bin/env bash
# Puts libduckdb, as DuckDB's own makers built it, into a folder, unless it is there. It comes from the
# npm registry and is checked against duckdb.sha512.
# Usage: bin/alog-sql/get-duckdb.sh DIR
set -euo pipefail
dir=${1:?usage: bin/alog-sql/get-duckdb.sh DIR}
here=$(cd "$(dirname "$0")" && pwd)
# The version of the crate `duckdb` in crates/warehouse/Cargo.toml: 1.10505 is DuckDB 1.5.5.
version=1.5.5-r.5

case $(uname -s) in Linux) os=linux ;; Darwin) os=darwin ;; *) os=$(uname -s) ;; esac
case $(uname -m) in x86_64 | amd64) cpu=x64 ;; aarch64 | arm64) cpu=arm64 ;; *) cpu=$(uname -m) ;; esac
want=$(sed -n "s/^$os-$cpu //p" "$here/duckdb.sha512")
[ -n "$want" ] || { echo "alog-sql: no libduckdb for $os-$cpu is known: build with --features sql-bundled" >&2; exit 1; }

[ "$(cat "$dir/version" 2>/dev/null)" != "$version $want" ] || exit 0
command -v npm >/dev/null || { echo 'alog-sql: npm is needed to get libduckdb' >&2; exit 1; }
mkdir -p "$dir"
new=$(mktemp -d "$dir/new.XXXXXX")
trap 'rm -rf "$new"' EXIT
(cd "$new" && npm pack --silent "@duckdb/node-bindings-$os-$cpu@$version" >/dev/null 2>npm.log) ||
    { cat "$new/npm.log" >&2; echo 'alog-sql: libduckdb could not be had from the npm registry' >&2; exit 1; }
package=$(echo "$new"/*.tgz)
got=$(openssl dgst -sha512 -binary "$package" | base64 | tr -d '\n')
[ "$got" = "$want" ] || { echo "alog-sql: libduckdb is not what it should be: sha512 $got" >&2; exit 1; }
tar -xzf "$package" -C "$new"
mv -f "$new"/package/libduckdb.* "$dir/"
printf '%s %s\n' "$version" "$want" >"$dir/version"
echo "libduckdb ${version%-*} is in $dir"
