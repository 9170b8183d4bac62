#!/bin/bash
# Tries a package on a real systemd, in a container of systemd-nspawn: install, ready, a record delivered, reload, a wedged process
# found by the watchdog, stop, upgrade with a changed configuration, remove, purge. Needs root, debootstrap and systemd-container.
# usage: try.sh DEB [--root ROOT] [--dotnet DIR]
#   --root    a debootstrapped Debian, made where it is not there and kept for the next run; default: made anew and removed
#   --dotnet  this machine's .NET, for a package of the framework-dependent variant; a stand-in for its dependency is installed first
#   --make-root-only  with --root: makes the Debian, and tries no package
# Set LOGAGENT_TRY_MIRROR to use another mirror than deb.debian.org.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin
package='' base='' dotnet='' root_only=''
while [ $# -gt 0 ]; do
    case $1 in
        --root) base=$2; shift 2 ;;
        --dotnet) dotnet=$2; shift 2 ;;
        --make-root-only) root_only=yes; shift ;;
        -*) echo "try.sh: unknown option $1; known are --root ROOT, --dotnet DIR, --make-root-only" >&2; exit 2 ;;
        *) package=$(realpath "$1"); shift ;;
    esac
done
work=$(mktemp -d)
trap 'rm -rf "$work" "${base:-$work/base}.part"' EXIT
base=${base:-$work/base}
if [ ! -d "$base" ]; then
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,adduser,init-system-helpers,libssl3,libstdc++6,ca-certificates,procps \
        bookworm "$base.part" "${LOGAGENT_TRY_MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 ||
        { echo 'try.sh: debootstrap failed:' >&2; tail -n 5 "$work/debootstrap.log" >&2; exit 1; }
    rm -rf "$base.part"/var/cache/apt/archives/*.deb "$base.part"/var/lib/apt/lists/*
    mv "$base.part" "$base"
fi
[ -z "$root_only" ] || exit 0
[ -n "$package" ] || { echo 'try.sh: the package to try is missing' >&2; exit 2; }
root=$work/root
cp -a --reflink=auto "$base" "$root"
mkdir "$root/try"
cp "$package" "$root/try/first.deb"
# The next version, with another configuration file.
dpkg-deb -R "$package" "$work/next"
sed -i 's/^Version: \(.*\)$/Version: \1+next/' "$work/next/DEBIAN/control"
echo '# A line that the next version adds.' >>"$work/next/etc/logagent/logagent.yaml"
dpkg-deb --root-owner-group -Zgzip --build "$work/next" "$root/try/next.deb" >/dev/null
install -m 0755 "$here/try-inside.sh" "$root/try/inside.sh"
binds=()
if [ -n "$dotnet" ]; then
    binds=("--bind-ro=$dotnet:/usr/share/dotnet")
    mkdir -p "$work/runtime/DEBIAN"
    printf 'Package: aspnetcore-runtime-10.0\nVersion: 10.0\nArchitecture: all\nMaintainer: try.sh <try@logagent.invalid>\nDescription: stands in for the runtime, which is mounted\n' >"$work/runtime/DEBIAN/control"
    dpkg-deb --root-owner-group --build "$work/runtime" "$root/try/runtime.deb" >/dev/null
fi
cat >"$root/etc/systemd/system/try.service" <<'UNIT'
[Unit]
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/bin/bash -c '/try/inside.sh >/try/log 2>&1; echo $? >/try/result'
ExecStopPost=/bin/systemctl poweroff --no-block
[Install]
WantedBy=default.target
UNIT
ln -s ../try.service "$root/etc/systemd/system/multi-user.target.wants/try.service"
sed -i 's/^After=.*//' "$root/etc/systemd/system/try.service"
timeout 180 systemd-nspawn --quiet --register=no --keep-unit --private-network "${binds[@]+"${binds[@]}"}" -D "$root" --boot >"$work/console" 2>&1 </dev/null || true
cat "$root/try/log" 2>/dev/null || { echo 'try.sh: the container did not come up:' >&2; tail -n 30 "$work/console" >&2; }
[ "$(cat "$root/try/result" 2>/dev/null)" = 0 ]
