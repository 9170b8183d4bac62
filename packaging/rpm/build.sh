#!/bin/bash
# Builds logagent-<version>-1.<architecture>.rpm by rpmbuild, of the same tree as the Debian package.
# usage: build.sh [--framework-dependent] [--published DIR] [--version VERSION] [--out DIR]
# The options are explained in packaging/tree/begin.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/../tree/begin.sh"
command -v rpmbuild >/dev/null || { echo "build.sh: rpmbuild is not installed; it is in the package rpm-build (Fedora, RHEL) or rpm (Debian)" >&2; exit 1; }
case $version in *-*) echo "build.sh: an rpm's version has no hyphen: $version; write $(printf %s "$version" | tr - '~') for a version before the release" >&2; exit 2 ;; esac
stage
install -m 0644 "$repository/packaging/deb/copyright" "$root/usr/share/doc/logagent/copyright"
mkdir -p "$root/usr/lib"
mv "$root/lib/systemd" "$root/usr/lib/systemd"
rmdir "$root/lib"

# The runtime opens TLS by name; the rest is in the program's ELF header, where rpmbuild finds it.
variant=(--define 'runtime (libssl.so.3()(64bit) or libssl.so.1.1()(64bit))')
[ -z "$framework" ] || variant=(--define 'runtime aspnetcore-runtime-10.0' --define 'program_directory /usr/lib/logagent')
rpmbuild -bb --quiet --nodebuginfo --define "_topdir $work/rpm" --define "_rpmdir $work/made" --define "_rpmfilename %%{NAME}-%%{VERSION}-%%{RELEASE}.%%{ARCH}.rpm" \
    --define "version $version" --define "staged $root" --define '_binary_payload w9.xzdio' --define "_buildhost localhost" \
    --define 'use_source_date_epoch_as_buildtime 1' "${variant[@]}" "$here/logagent.spec" >"$work/log" 2>&1 ||
    { cat "$work/log" >&2; exit 1; }
mkdir -p "$out"
for package in "$work"/made/*.rpm; do
    mv "$package" "$out/"
    echo "$out/$(basename "$package")"
done
