#!/bin/bash
# Builds logagent_<version>_<architecture>.deb by dpkg-deb alone.
# usage: build.sh [--framework-dependent] [--published DIR] [--version VERSION] [--out DIR]
#   --framework-dependent  5 MiB instead of 40, with a dependency on aspnetcore-runtime-10.0
#   --published            take this output of `dotnet publish` instead of publishing now
#   --version              default: that of src/Directory.Build.props
#   --out                  default: packaging/deb/out
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
framework='' published='' version='' out=$here/out
while [ $# -gt 0 ]; do
    case $1 in
        --framework-dependent) framework=yes; shift ;;
        --published) published=$2; shift 2 ;;
        --version) version=$2; shift 2 ;;
        --out) out=$2; shift 2 ;;
        *) echo "build.sh: unknown option $1; known are --framework-dependent, --published DIR, --version VERSION, --out DIR" >&2; exit 2 ;;
    esac
done
architecture=$(dpkg --print-architecture)
case $architecture in
    amd64) runtime=linux-x64 ;;
    arm64) runtime=linux-arm64 ;;
    *) echo "build.sh: no runtime identifier known for $architecture; known are amd64, arm64" >&2; exit 1 ;;
esac
[ -n "$version" ] || version=$(sed -n 's#.*<Version>\(.*\)</Version>.*#\1#p' "$repository/src/Directory.Build.props")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
umask 022

if [ -z "$published" ]; then
    published=$work/published
    if [ -n "$framework" ]; then
        dotnet publish "$repository/src/LogAgent" -c Release -r "$runtime" --self-contained false -p:PublishDocumentationFiles=false -o "$published" -v q -nologo
    else
        dotnet publish "$repository/src/LogAgent" -p:PublishProfile=linux -p:RuntimeIdentifier="$runtime" -o "$published" -v q -nologo
    fi
fi

doc=$root/usr/share/doc/logagent
mkdir -p "$root/usr/bin" "$root/etc/logagent" "$doc/examples"
if [ -n "$framework" ]; then
    mkdir -p "$root/usr/lib/logagent"
    find "$published" -maxdepth 1 -type f ! -name '*.pdb' ! -name '*.xml' -exec install -m 0644 -t "$root/usr/lib/logagent" {} +
    chmod 0755 "$root/usr/lib/logagent/logagent"
    ln -s ../lib/logagent/logagent "$root/usr/bin/logagent"
    depends='aspnetcore-runtime-10.0'
else
    install -m 0755 "$published/logagent" "$root/usr/bin/logagent"
    # The runtime opens TLS by name; the rest is in its ELF header.
    depends='libc6 (>= 2.34), libgcc-s1, libstdc++6, libssl3 | libssl3t64 | libssl3.0'
fi
install -m 0640 "$here/logagent.yaml" "$root/etc/logagent/logagent.yaml"
install -D -m 0644 "$repository/packaging/systemd/logagent.service" "$root/lib/systemd/system/logagent.service"
install -D -m 0644 "$here/logagent.bash-completion" "$root/usr/share/bash-completion/completions/logagent"
install -D -m 0644 "$here/logagent.1" "$root/usr/share/man/man1/logagent.1"
gzip -9n "$root/usr/share/man/man1/logagent.1"
install -m 0644 "$here/copyright" "$doc/copyright"
printf 'logagent (%s) unstable; urgency=medium\n\n  * Built from the sources of this version.\n\n -- LogAgent maintainers <maintainers@logagent.org>  %s\n' \
    "$version" "$(date -R -u -d "@${SOURCE_DATE_EPOCH:-$(git -C "$repository" log -1 --format=%ct 2>/dev/null || echo 0)}")" |
    gzip -9n >"$doc/changelog.gz"
for example in logagent.yaml.example packaging/systemd/docker-socket.conf packaging/kibana packaging/prometheus packaging/grafana; do
    [ ! -e "$repository/$example" ] || cp -r "$repository/$example" "$doc/examples/"
done
chmod -R u+rwX,go+rX,go-w "$doc"
[ -z "$framework" ] && install -D -m 0644 "$here/lintian-overrides" "$root/usr/share/lintian/overrides/logagent"

mkdir -p "$root/DEBIAN"
for script in postinst prerm postrm; do install -m 0755 "$here/$script" "$root/DEBIAN/$script"; done
echo /etc/logagent/logagent.yaml >"$root/DEBIAN/conffiles"
(cd "$root" && find . -path ./DEBIAN -prune -o -type f -printf '%P\0' | sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"
cat >"$root/DEBIAN/control" <<CONTROL
Package: logagent
Version: $version
Architecture: $architecture
Maintainer: LogAgent maintainers <maintainers@logagent.org>
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
