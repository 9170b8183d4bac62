#!/bin/bash
# Builds the agent's image without a registry and without a base image: the published file, the libraries it loads, CA certificates.
# usage: from-scratch.sh [--published DIR] [--tag IMAGE] [--root DIR]
#   --published  a directory with the file `logagent` of `dotnet publish -p:PublishProfile=linux`; published now if not given
#   --tag        default logagent:local
#   --root       only lays out the root file system there, and makes no image (no docker needed)
# Libraries are this machine's, so it has to be a glibc one with libssl and, for outputs of type kafka, librdkafka1.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
published='' tag=logagent:local only_root=''
while [ $# -gt 0 ]; do
    case $1 in
        --published) published=$2; shift 2 ;;
        --tag) tag=$2; shift 2 ;;
        --root) only_root=$2; shift 2 ;;
        *) echo "from-scratch.sh: unknown option $1; known are --published DIR, --tag IMAGE, --root DIR" >&2; exit 2 ;;
    esac
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=${only_root:-$work/root}
if [ -z "$published" ]; then
    published=$work/published
    dotnet publish "$repository/src/LogAgent" -p:PublishProfile=linux -o "$published" -v q -nologo
fi
[ -x "$published/logagent" ] || { echo "from-scratch.sh: no file logagent in $published" >&2; exit 1; }

mkdir -p "$root"/{usr/bin,etc/ssl/certs,etc/logagent,tmp,var/lib/logagent,run,proc,sys,dev}
chmod 1777 "$root/tmp"
install -m 0755 "$published/logagent" "$root/usr/bin/logagent"

# The first library of a name that the loader knows. It is read to its end: a writer whose reader has left fails.
library() { PATH=$PATH:/sbin ldconfig -p | awk -v name="$1" '$1 == name && /x86-64|AArch64/ && !found++ { print $NF }'; }
# What the file loads by itself, and what the runtime opens by name: TLS, and Kafka's client.
loaded=()
for name in libssl.so.3 libcrypto.so.3 librdkafka.so.1; do
    path=$(library "$name")
    if [ -n "$path" ]; then loaded+=("$path"); else echo "from-scratch.sh: $name is not on this machine; the image goes without" >&2; fi
done
{
    printf '%s\n' "${loaded[@]}"
    ldd "$published/logagent" "${loaded[@]}" | sed -nE 's#^[[:space:]]+(.*=> )?(/[^ ]+) \(0x.*#\2#p'
} | sort -u | while read -r path; do
    # At the very path: the loader of the image has no cache and looks where its distribution puts libraries.
    mkdir -p "$root$(dirname "$path")"
    cp -L "$path" "$root$path"
done

certificates=/etc/ssl/certs/ca-certificates.crt
[ -f $certificates ] && cp -L $certificates "$root$certificates" || echo "from-scratch.sh: no $certificates; TLS works with an own CA only" >&2
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
printf 'root:x:0:0::/:/\nlogagent:x:65532:65532::/var/lib/logagent:/\n' >"$root/etc/passwd"
printf 'root:x:0:\nlogagent:x:65532:\n' >"$root/etc/group"

[ -n "$only_root" ] && exit 0
version=$(sed -n 's#.*<Version>\(.*\)</Version>.*#\1#p' "$repository/src/Directory.Build.props")
tar -C "$root" --owner=0 --group=0 --numeric-owner --exclude=./var/lib/logagent -cf "$work/root.tar" .
# Group root: a host agent is user 0 without the power to write where it has no right.
tar -C "$root" --owner=65532 --group=0 --numeric-owner --mode=0770 -rf "$work/root.tar" ./var/lib/logagent
docker import \
    -c 'ENTRYPOINT ["/usr/bin/logagent"]' -c 'CMD ["run"]' \
    -c 'USER 65532:65532' -c 'VOLUME /var/lib/logagent' \
    -c 'ENV DOTNET_EnableDiagnostics=0' -c 'ENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt' \
    -c 'HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["/usr/bin/logagent", "health"]' \
    -c 'LABEL org.opencontainers.image.title=LogAgent org.opencontainers.image.description="Ships the logs of every container on a host"' \
    -c "LABEL org.opencontainers.image.version=$version org.opencontainers.image.revision=$(git -C "$repository" rev-parse HEAD 2>/dev/null || echo unknown)" \
    "$work/root.tar" "$tag"
