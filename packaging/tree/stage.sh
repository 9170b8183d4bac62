#!/bin/bash
# Lays out what a package installs, for deb/build.sh and rpm/build.sh alike.
# usage: stage.sh [--framework-dependent] [--published DIR] ROOT
#   --framework-dependent  only the agent's own files; the host needs the ASP.NET Core runtime
#   --published            take this output of `dotnet publish` instead of publishing now
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
repository=$(cd "$here/../.." && pwd)
framework='' published=''
while [ $# -gt 1 ]; do
    case $1 in
        --framework-dependent) framework=yes; shift ;;
        --published) published=$2; shift 2 ;;
        *) echo "stage.sh: unknown option $1; known are --framework-dependent, --published DIR" >&2; exit 2 ;;
    esac
done
root=${1:?stage.sh: the directory to lay out the tree in is missing}
case $(uname -m) in
    x86_64) runtime=linux-x64 ;;
    aarch64) runtime=linux-arm64 ;;
    *) echo "stage.sh: no runtime identifier known for $(uname -m); known are x86_64, aarch64" >&2; exit 1 ;;
esac
umask 022

made=''
trap '[ -z "$made" ] || rm -rf "$made"' EXIT
if [ -z "$published" ]; then
    made=$(mktemp -d)
    published=$made
    if [ -n "$framework" ]; then
        dotnet publish "$repository/src/LogAgent" -c Release -r "$runtime" --self-contained false -p:PublishDocumentationFiles=false -o "$published" -v q -nologo >&2
    else
        dotnet publish "$repository/src/LogAgent" -p:PublishProfile=linux -p:RuntimeIdentifier="$runtime" -o "$published" -v q -nologo >&2
    fi
fi
[ -x "$published/logagent" ] || { echo "stage.sh: no program logagent in $published" >&2; exit 1; }

mkdir -p "$root/usr/bin" "$root/etc/logagent" "$root/usr/share/doc/logagent/examples"
if [ -n "$framework" ]; then
    mkdir -p "$root/usr/lib/logagent"
    find "$published" -maxdepth 1 -type f ! -name '*.pdb' ! -name '*.xml' -exec install -m 0644 -t "$root/usr/lib/logagent" {} +
    chmod 0755 "$root/usr/lib/logagent/logagent"
    ln -s ../lib/logagent/logagent "$root/usr/bin/logagent"
else
    install -m 0755 "$published/logagent" "$root/usr/bin/logagent"
fi
install -m 0640 "$here/logagent.yaml" "$root/etc/logagent/logagent.yaml"
install -D -m 0644 "$repository/packaging/systemd/logagent.service" "$root/lib/systemd/system/logagent.service"
install -D -m 0644 "$here/logagent.bash-completion" "$root/usr/share/bash-completion/completions/logagent"
install -D -m 0644 "$here/logagent.1" "$root/usr/share/man/man1/logagent.1"
gzip -9n "$root/usr/share/man/man1/logagent.1"
for example in logagent.yaml.example packaging/systemd/docker-socket.conf packaging/kibana packaging/prometheus packaging/grafana; do
    cp -r "$repository/$example" "$root/usr/share/doc/logagent/examples/"
done
chmod -R u+rwX,go+rX,go-w "$root/usr/share/doc/logagent"
