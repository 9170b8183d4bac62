#!/bin/bash
# Tries a package on a real systemd, in a container of systemd-nspawn: install, ready, a record delivered, reload, a wedged process
# found by the watchdog, stop, upgrade with a changed configuration, remove, purge. Needs root, debootstrap and systemd-container.
# usage: try.sh DEB [ROOT]
#   ROOT  a debootstrapped Debian, made by the first run and kept for the next; default: made anew and removed
# Set LOGAGENT_TRY_MIRROR to use another mirror than deb.debian.org.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
package=$(realpath "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
base=${2:-$work/base}
if [ ! -x "$base/usr/bin/systemctl" ]; then
    debootstrap --variant=minbase --include=systemd,systemd-sysv,dbus,adduser,init-system-helpers,libssl3,libstdc++6,ca-certificates,procps \
        bookworm "$base" "${LOGAGENT_TRY_MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 ||
        { tail -n 20 "$work/debootstrap.log" >&2; exit 1; }
fi
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
timeout 180 systemd-nspawn --quiet --register=no --keep-unit --private-network -D "$root" --boot >"$work/console" 2>&1 </dev/null || true
cat "$root/try/log" 2>/dev/null || { echo 'try.sh: the container did not come up:' >&2; tail -n 30 "$work/console" >&2; }
[ "$(cat "$root/try/result" 2>/dev/null)" = 0 ]
