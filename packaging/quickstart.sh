#!/usr/bin/env bash
# Shows the agent at work on this machine: builds it, makes sure that at least one container writes something, and follows
# every container of the local Docker engine to the console, with no configuration file. Ctrl-C ends it.
#   packaging/quickstart.sh             until Ctrl-C
#   packaging/quickstart.sh --for 20s   ends by itself after that time
# It installs what is missing with apt-get (librdkafka1; docker.io, iptables and busybox-static where no Docker engine answers).
# A Docker engine that it had to start is left running, and it says how to stop it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

limit=""
case ${1:-} in
    "") ;;
    --for) limit=${2:?--for takes a time, as 20s} ;;
    *) sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac

say() { if [ -t 2 ]; then printf "\033[1m%s\033[0m\n" "$*"; else printf "%s\n" "$*"; fi >&2; }
die() { echo "quickstart: $*" >&2; exit 1; }

command -v dotnet >/dev/null || die "dotnet is not on the PATH; install the .NET SDK 10"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
as_root=() # the logs of the containers belong to root
[ "$(id -u)" = 0 ] || as_root=(sudo)

install() {
    say "Installing $*"
    command -v apt-get >/dev/null || die "apt-get is not there; please install $* and run this again"
    "${as_root[@]+"${as_root[@]}"}" env DEBIAN_FRONTEND=noninteractive sh -c '
        set -e
        for try in 1 2 3; do apt-get -q -y update >/dev/null && break; sleep 3; done
        apt-get -q -y install --no-install-recommends "$@" >/dev/null' sh "$@" || die "apt-get could not install $*"
}

answers() { curl -s -m 5 --unix-socket /var/run/docker.sock http://docker/_ping 2>/dev/null | grep -q OK; }

# --- what it needs --------------------------------------------------------------------------------------------------------

command -v curl >/dev/null || install curl
ldconfig -p 2>/dev/null | grep -F librdkafka.so.1 >/dev/null || install librdkafka1
if ! answers; then
    [ "$(id -u)" = 0 ] || die "no Docker engine answers on /var/run/docker.sock for this user; start one, or run this as root"
    export PATH=$PATH:/usr/sbin:/sbin
    { command -v dockerd && command -v docker && command -v iptables; } >/dev/null || install docker.io iptables
    say "Starting a Docker engine"
    setsid dockerd >/tmp/logagent-quickstart-dockerd.log 2>&1 </dev/null &
    dockerd=$!
    for _ in $(seq 300); do
        answers && break
        kill -0 "$dockerd" 2>/dev/null || break
        sleep 0.2
    done
    answers || die "the Docker engine did not start: $(tail -n 1 /tmp/logagent-quickstart-dockerd.log)"
    say "It stays after this ends. To stop it: kill $dockerd"
fi

# --- build ----------------------------------------------------------------------------------------------------------------

say "Building"
dotnet build src/LogAgent -c Release -nodeReuse:false -v quiet -nologo "-clp:ErrorsOnly;NoSummary"
agent=src/LogAgent/bin/Release/net10.0/logagent.dll

# --- something to follow --------------------------------------------------------------------------------------------------

sample="" folder=$(mktemp -d "${TMPDIR:-/tmp}/logagent-quickstart.XXXXXX") follower=""
cleanup() {
    trap - EXIT INT TERM
    [ -z "$follower" ] || { kill -TERM "$follower" 2>/dev/null && wait "$follower" 2>/dev/null; } || true
    [ -z "$sample" ] || docker rm -f "$sample" >/dev/null 2>&1 || true
    "${as_root[@]+"${as_root[@]}"}" rm -rf "$folder"
}
trap cleanup EXIT
trap 'exit 0' INT
trap 'exit 143' TERM

if [ -z "$(docker ps -q)" ]; then
    say "No container runs: starting a sample, which is removed at the end"
    if ! docker image inspect logagent-sample:1 >/dev/null 2>&1; then
        command -v busybox >/dev/null && ! ldd "$(command -v busybox)" >/dev/null 2>&1 || install busybox-static
        mkdir -p "$folder/root/bin"
        cp "$(command -v busybox)" "$folder/root/bin/busybox"
        for name in sh echo sleep; do ln -s busybox "$folder/root/bin/$name"; done
        tar -C "$folder/root" -c . | docker import -c 'ENV PATH=/bin' - logagent-sample:1 >/dev/null
    fi
    sample=$(docker run -d --network none --name "logagent-sample-$$" logagent-sample:1 sh -c '
        i=0
        while true; do
            i=$((i + 1))
            echo "GET /basket/$i 200"
            [ $((i % 5)) != 0 ] || echo "basket $i: payment took 900 ms" >&2
            sleep 1
        done')
fi

# --- follow ---------------------------------------------------------------------------------------------------------------

cat >"$folder/logagent.yaml" <<YAML
state: { directory: $folder/state }
metrics: { listen: "" }
YAML
say "Following every container of this host${limit:+ for $limit}; Ctrl-C ends it"
"${as_root[@]+"${as_root[@]}"}" "$(command -v dotnet)" "$agent" run --config "$folder/logagent.yaml" </dev/null &
follower=$!
code=0
if [ -n "$limit" ]; then
    sleep "$limit" &
    wait -n "$follower" $! || code=$?
    kill -0 "$follower" 2>/dev/null || die "the agent ended by itself with exit code $code"
else
    wait "$follower" || code=$?
    follower=""
    [ "$code" = 0 ] || die "the agent ended with exit code $code"
fi
