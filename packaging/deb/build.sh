#!/bin/bash
# Builds logagent_<version>_<architecture>.deb by dpkg-deb alone.
# usage: build.sh [--framework-dependent] [--published DIR] [--version VERSION] [--out DIR]
# The options are explained in packaging/tree/begin.sh.
# DEBFULLNAME and DEBEMAIL, where they are set, are the package's maintainer.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tree/begin.sh"
architecture=$(dpkg --print-architecture)
maintainer="${DEBFULLNAME:-LogAgent maintainers} <${DEBEMAIL:-maintainers@logagent.invalid}>"
stage

depends='libc6 (>= 2.34), libgcc-s1, libstdc++6'
# The runtime opens TLS by name; the rest is in the program's ELF header.
[ -n "$framework" ] && depends="$depends, aspnetcore-runtime-10.0" || depends="$depends, libssl3 | libssl3t64 | libssl3.0"
doc=$root/usr/share/doc/logagent
install -m 0644 "$here/copyright" "$doc/copyright"
printf 'logagent (%s) unstable; urgency=medium\n\n  * Built from the sources of this version.\n\n -- %s  %s\n' \
    "$version" "$maintainer" "$(date -R -u -d "@${SOURCE_DATE_EPOCH:-$(git -C "$repository" log -1 --format=%ct 2>/dev/null || echo 0)}")" |
    gzip -9n >"$doc/changelog.gz"
install -D -m 0644 "$here/lintian-overrides" "$root/usr/share/lintian/overrides/logagent"
# What is said of the single file is not true of the other variant.
[ -z "$framework" ] || sed -i '/^# The runtime/,+1d' "$root/usr/share/lintian/overrides/logagent"

mkdir -p "$root/DEBIAN"
for script in postinst prerm postrm; do install -m 0755 "$here/$script" "$root/DEBIAN/$script"; done
echo /etc/logagent/logagent.yaml >"$root/DEBIAN/conffiles"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<CONTROL
Package: logagent
Version: $version
Architecture: $architecture
Maintainer: $maintainer
Section: admin
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: adduser, $depends
Pre-Depends: init-system-helpers (>= 1.54~)
Recommends: ca-certificates, librdkafka1
Description: ships the logs of every container on a host
 LogAgent reads what the containers of a host write, to their standard
 output and to files on their volumes, and delivers every line to
 Elasticsearch, Kafka, syslog or files, with the image, tag, container,
 host and cluster that wrote it.
 .
 librdkafka1 is needed for outputs of type kafka only.
CONTROL
mkdir -p "$out"
package=$out/logagent_${version}_${architecture}.deb
dpkg-deb --root-owner-group -Zxz --build "$root" "$package" >/dev/null
echo "$package"
