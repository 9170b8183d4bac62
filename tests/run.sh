#!/usr/bin/env bash
# Builds everything, checks the format and runs every test, from a clean clone, on a machine with only the .NET SDK.
#   tests/run.sh             all of it
#   tests/run.sh --unit      without the integration tests (no Docker, no services, no packages)
#   tests/run.sh --scenarios N   only the scenarios, N times in a row after one build
# The last line is "N passed, N failed, N skipped"; skipped tests say why before it. The exit code is 0 only when the build and
# the format are clean, at least one test passed and none failed.
#
# It installs what is missing with apt-get (as root, or by sudo without a password), and starts a Docker engine of its own
# where none answers. Everything it starts carries LOGAGENT_TEST_RUN in its environment, and is ended by that at the end.
#   LOGAGENT_TEST_ELASTICSEARCH, LOGAGENT_TEST_KAFKA   scripts that start a real server (default: ../shared/services, if it is there)
#   LOGAGENT_TEST_FULL=1                               the large counts of the scenarios
#   LOGAGENT_TEST_NO_APT=1                             install nothing
#   LOGAGENT_TEST_ROOT                                 a directory to keep the debootstrapped Debian in for the next run
#   LOGAGENT_TEST_AGENT                                a published agent for the integration tests, in place of the one that is built
#   LOGAGENT_TEST_PACKAGE=1                            the self-contained package, too: two minutes more
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
exec </dev/null

unit_only=no scenario_runs=0
case ${1:-} in
    "") ;;
    --unit) unit_only=yes ;;
    --scenarios)
        scenario_runs=${2:-1}
        [[ $scenario_runs =~ ^[1-9][0-9]*$ ]] || { echo "tests/run.sh: --scenarios takes a number from 1"; exit 2; }
        ;;
    *) sed -n '2,16s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 2 ;;
esac

configuration=Release
work=$(mktemp -d "${TMPDIR:-/tmp}/logagent-test.XXXXXX")
chmod 755 "$work" # agents under another user run in it, too
results=$work/results
mkdir -p "$results"
if [ -z "${HOME:-}" ]; then
    HOME=$(getent passwd "$(id -u)" | cut -d: -f6 || true)
    [ -n "$HOME" ] && [ -w "$HOME" ] || HOME=$work/home
    mkdir -p "$HOME"
fi
export HOME
export LOGAGENT_TEST_RUN=$work LOGAGENT_TEST_CONFIGURATION=$configuration
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1
export MSBUILDDISABLENODEREUSE=1 DOTNET_CLI_USE_MSBUILD_SERVER=0 UseSharedCompilation=false
unset DOCKER_HOST DOCKER_CONTEXT DOCKER_TLS_VERIFY

started=$SECONDS
step_name='' step_start=$SECONDS failures=()
passed=0 failed=0 skipped=0

end_step() {
    [ -z "$step_name" ] || printf '    %s: %d s\n' "$step_name" $((SECONDS - step_start))
    step_name=''
}

step() {
    end_step
    step_name=$1 step_start=$SECONDS
    printf '\n==> %s\n' "$1"
}

# Every process that has this run's mark in its environment, except this shell and its own pipeline.
marked_processes() {
    local environment pid
    for environment in /proc/[0-9]*/environ; do
        pid=${environment#/proc/}
        pid=${pid%/environ}
        [ "$pid" != $$ ] && [ "$pid" != "$BASHPID" ] || continue
        if grep -qzxF "LOGAGENT_TEST_RUN=$work" "$environment" 2>/dev/null; then echo "$pid"; fi
    done
}

stop_pid() { # pid, seconds until SIGKILL
    local waited=0
    kill -TERM "$1" 2>/dev/null || return 0
    while kill -0 "$1" 2>/dev/null && [ "$waited" -lt $(($2 * 10)) ]; do
        sleep 0.1
        waited=$((waited + 1))
    done
    kill -KILL "$1" 2>/dev/null || true
}

cleaned=no
cleanup() {
    [ $cleaned = no ] || return 0
    cleaned=yes
    local pid mount
    if [ -s "$work/dockerd.pid" ]; then
        pid=$(cat "$work/dockerd.pid")
        stop_pid "$pid" 30
    fi
    for pid in $(marked_processes); do kill -TERM "$pid" 2>/dev/null || true; done
    for _ in 1 2 3 4 5 6 7 8 9 10; do
        [ -n "$(marked_processes)" ] || break
        sleep 0.2
    done
    for pid in $(marked_processes); do kill -KILL "$pid" 2>/dev/null || true; done
    # The deepest mount first.
    { cut -d' ' -f2 /proc/mounts | grep -F "$work/" | sort -r || true; } | while read -r mount; do
        umount -l "$mount" 2>/dev/null || true
    done
    rm -rf "$work" 2>/dev/null || { sleep 1; rm -rf "$work" 2>/dev/null || true; }
}
trap cleanup EXIT
trap 'echo "interrupted"; exit 130' INT
trap 'echo "ended by a signal"; exit 143' TERM HUP

# Runs a command in the background and waits, so that a signal to this script is obeyed at once.
run() { # seconds, command...
    local limit=$1 code=0
    shift
    timeout --kill-after=20 "$limit" "$@" &
    wait $! || code=$?
    [ $code != 124 ] || echo "tests/run.sh: ended after $limit s without an end: $*"
    return $code
}

finish() {
    end_step
    cleanup
    local failure
    printf '\n'
    for failure in ${failures[@]+"${failures[@]}"}; do echo "FAILED: $failure"; done
    echo "$((SECONDS - started)) s in all"
    echo "$passed passed, $failed failed, $skipped skipped"
    if [ ${#failures[@]} -gt 0 ] || [ "$failed" -gt 0 ] || [ "$passed" -eq 0 ]; then exit 1; fi
    exit 0
}

command -v dotnet >/dev/null || { echo "tests/run.sh: dotnet is not on the PATH; install the .NET SDK 10"; failures+=("no .NET SDK"); finish; }

# --- what the tests need from the machine ---------------------------------------------------------------------------------

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo -n)

may_install() {
    [ "${LOGAGENT_TEST_NO_APT:-}" = "" ] && command -v apt-get >/dev/null || return 1
    [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null
}

needs() { # a package, then a command that says whether it is there
    local package=$1
    shift
    "$@" >/dev/null 2>&1 || missing+=("$package")
}

has_library() { ldconfig -p 2>/dev/null | grep -F "$1"; }

install_missing() {
    missing=()
    needs docker.io sh -c 'command -v dockerd && command -v docker'
    needs iptables sh -c 'PATH=$PATH:/usr/sbin:/sbin; command -v iptables'
    needs busybox-static sh -c 'command -v busybox && ! ldd "$(command -v busybox)"'
    needs librdkafka1 has_library librdkafka.so.1
    needs kcat sh -c 'command -v kcat'
    needs rsyslog sh -c 'PATH=$PATH:/usr/sbin; command -v rsyslogd'
    needs rsyslog-gnutls sh -c 'ls /usr/lib/*/rsyslog/lmnsd_gtls.so'
    needs openssl sh -c 'command -v openssl'
    needs curl sh -c 'command -v curl'
    needs faketime sh -c 'ls /usr/lib/*/faketime/libfaketimeMT.so.1'
    needs strace sh -c 'command -v strace'
    needs bindfs sh -c 'command -v bindfs'
    needs logrotate sh -c 'PATH=$PATH:/usr/sbin; command -v logrotate'
    needs debootstrap sh -c 'PATH=$PATH:/usr/sbin; command -v debootstrap'
    needs systemd-container sh -c 'command -v systemd-nspawn'
    needs lintian sh -c 'command -v lintian'
    needs rpm sh -c 'command -v rpmbuild'
    if [ -n "${LOGAGENT_TEST_ELASTICSEARCH:-}${LOGAGENT_TEST_KAFKA:-}" ]; then
        needs openjdk-17-jre-headless sh -c '[ -n "${JAVA_HOME:-}" ] || command -v java'
    fi
    if [ ${#missing[@]} = 0 ]; then
        echo "everything is there"
        return
    fi
    if ! may_install; then
        echo "missing, and not to be installed from here: ${missing[*]}; the tests that need them are skipped"
        return
    fi
    local apt=("${as_root[@]+"${as_root[@]}"}" env DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=180 -o Acquire::Retries=3) try package
    for try in 1 2 3; do
        "${apt[@]}" update >"$work/apt.log" 2>&1 && break
        echo "apt-get update failed (try $try)"
        sleep 3
    done
    if ! "${apt[@]}" install --no-install-recommends "${missing[@]}" >>"$work/apt.log" 2>&1; then
        for package in "${missing[@]}"; do
            "${apt[@]}" install --no-install-recommends "$package" >>"$work/apt.log" 2>&1 || echo "could not install $package: $(grep '^E:' "$work/apt.log" | tail -n 1)"
        done
    fi
    echo "installed: ${missing[*]}"
}

# promtool alone: the package of Prometheus brings a service with it, which would be started.
fetch_promtool() {
    ! command -v promtool >/dev/null && [ -z "${LOGAGENT_TEST_NO_APT:-}" ] && command -v apt-get >/dev/null || return 0
    mkdir -p "$work/promtool/bin"
    if (cd "$work/promtool" && chmod 0777 . && apt-get -q -o Acquire::Retries=3 download prometheus && dpkg-deb --fsys-tarfile prometheus_*.deb | tar -xO ./usr/bin/promtool >bin/promtool) >"$work/promtool/log" 2>&1; then
        chmod 0755 "$work/promtool/bin/promtool"
        export PATH=$PATH:$work/promtool/bin
        rm -f "$work"/promtool/*.deb
        echo "fetched promtool"
    else
        echo "promtool could not be fetched: $(grep '^E:' "$work/promtool/log" | tail -n 1)"
    fi
}

# A Debian with systemd for the package, made while the solution is built.
debian_pid=''
start_debian() {
    if [ "$(id -u)" != 0 ]; then
        export LOGAGENT_TEST_NO_SYSTEMD="only root can boot a Debian"
    elif ! PATH=$PATH:/usr/sbin:/sbin command -v debootstrap >/dev/null || ! command -v systemd-nspawn >/dev/null; then
        export LOGAGENT_TEST_NO_SYSTEMD="debootstrap or systemd-nspawn is not installed"
    else
        export LOGAGENT_TEST_ROOT=${LOGAGENT_TEST_ROOT:-$work/debian}
        timeout --kill-after=20 600 sh -c 'packaging/deb/try.sh --make-root-only --root "$1" && systemd-nspawn --quiet --register=no --keep-unit --private-network -D "$1" /bin/true' \
            sh "$LOGAGENT_TEST_ROOT" >"$work/debian.log" 2>&1 &
        debian_pid=$!
    fi
}

await_debian() {
    if [ -n "$debian_pid" ] && ! wait "$debian_pid"; then
        export LOGAGENT_TEST_NO_SYSTEMD="a Debian could not be made and run here: $(tail -n 1 "$work/debian.log" | cut -c1-300)"
    fi
    echo "${LOGAGENT_TEST_NO_SYSTEMD:-it is there}"
}

docker_answers() { [ "$(curl -s -m 5 --unix-socket "${1:-/var/run/docker.sock}" http://docker/_ping 2>/dev/null)" = OK ]; }

start_docker() {
    if docker_answers; then
        echo "an engine answers on /var/run/docker.sock; it is used"
        return
    fi
    if [ "$(id -u)" != 0 ]; then
        export LOGAGENT_TEST_NO_DOCKER="no Docker engine answers, and only root can start one"
    elif ! command -v dockerd >/dev/null; then
        export LOGAGENT_TEST_NO_DOCKER="no Docker engine answers, and dockerd is not installed"
    else
        PATH=$PATH:/usr/sbin:/sbin setsid dockerd --data-root "$work/docker" --exec-root "$work/docker-exec" --pidfile "$work/dockerd.pid" \
            >"$work/dockerd.log" 2>&1 </dev/null &
        local pid=$! waited=0
        while ! docker_answers; do
            if ! kill -0 "$pid" 2>/dev/null || [ "$waited" -ge 120 ]; then
                export LOGAGENT_TEST_NO_DOCKER="a Docker engine could not be started here: $(tail -n 1 "$work/dockerd.log" | cut -c1-300)"
                stop_pid "$pid" 5
                break
            fi
            sleep 0.5
            waited=$((waited + 1))
        done
    fi
    if [ -n "${LOGAGENT_TEST_NO_DOCKER:-}" ]; then
        echo "$LOGAGENT_TEST_NO_DOCKER; the tests that need it are skipped"
    else
        echo "started an engine of its own for this run"
    fi
}

if [ $unit_only = no ]; then
    services=$root/../shared/services
    if [ -z "${LOGAGENT_TEST_ELASTICSEARCH:-}" ] && [ -x "$services/elasticsearch.sh" ]; then export LOGAGENT_TEST_ELASTICSEARCH=$services/elasticsearch.sh; fi
    if [ -z "${LOGAGENT_TEST_KAFKA:-}" ] && [ -x "$services/kafka.sh" ]; then export LOGAGENT_TEST_KAFKA=$services/kafka.sh; fi
    step "packages"
    install_missing
    fetch_promtool
    [ "$scenario_runs" -gt 0 ] || start_debian
    step "Docker engine"
    start_docker
fi

# --- build ----------------------------------------------------------------------------------------------------------------

step "restore and build"
if ! run 900 dotnet build LogAgent.sln -c $configuration -m -nodeReuse:false -v quiet -nologo "-clp:ErrorsOnly;NoSummary"; then
    failures+=("the build")
    finish
fi

# --- tests ----------------------------------------------------------------------------------------------------------------

count() { # attribute of <Counters>, trx
    grep -o "<Counters[^>]*" "$2" | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*' || echo 0
}

# The skipped tests of a trx with their reasons: one result element, then the first <Message> or <StdOut> in it.
print_skipped() {
    tr '\n' ' ' <"$1" | sed 's/<UnitTestResult /\n&/g' | grep 'outcome="NotExecuted"' | while IFS= read -r result; do
        name=$(sed 's/.* testName="\([^"]*\)".*/\1/' <<<"$result")
        reason=$(grep -o '<\(Message\|StdOut\)>[^<]*' <<<"$result" | head -n 1 | sed 's/^<[^>]*>//' || true)
        echo "skipped: ${name##*.}: ${reason:-no reason given}"
    done || true
}

print_slowest() {
    tr '\n' ' ' <"$1" | grep -o '<UnitTestResult [^>]*' | sed -n 's/.* testName="\([^"]*\)".* duration="\([0-9:]*\).*/\2 \1/p' \
        | sort -r | sed -n '1,5s/ .*\./ /p' | sed 's/^/slowest: /' || true
}

declare -A test_pids

begin_tests() { # name, project, seconds in all, hang timeout, further arguments of dotnet test
    rm -f "$results/$1.trx"
    timeout --kill-after=20 "$3" dotnet test "tests/$2" -c $configuration --no-build --nologo -v quiet --results-directory "$results" \
        --logger "trx;LogFileName=$1.trx" --logger "console;verbosity=minimal" \
        --blame-hang-timeout "$4" --blame-hang-dump-type none "${@:5}" >"$work/$1.log" 2>&1 &
    test_pids[$1]=$!
}

end_tests() { # name
    local trx=$results/$1.trx code=0 total
    wait "${test_pids[$1]}" || code=$?
    cat "$work/$1.log"
    [ $code != 124 ] || echo "tests/run.sh: ended, because there was no end in time: $1"
    if [ ! -s "$trx" ]; then
        failures+=("$1: no results (exit code $code)")
        return
    fi
    total=$(count failed "$trx")
    passed=$((passed + $(count passed "$trx")))
    failed=$((failed + total))
    skipped=$((skipped + $(count total "$trx") - $(count executed "$trx")))
    print_slowest "$trx"
    print_skipped "$trx"
    if [ "$total" -gt 0 ]; then
        failures+=("$1: $total tests")
    elif [ "$code" != 0 ]; then
        failures+=("$1: the test host ended with exit code $code")
    fi
}

# Beside the first tests.
timeout --kill-after=20 900 dotnet format LogAgent.sln --verify-no-changes --no-restore >"$work/format.log" 2>&1 &
format_pid=$!

end_format() {
    if ! wait "$format_pid"; then
        cat "$work/format.log"
        failures+=("the format; mend it with: dotnet format LogAgent.sln")
    fi
}

if [ "$scenario_runs" -gt 0 ]; then
    for ((i = 1; i <= scenario_runs; i++)); do
        before=$passed
        step "scenarios, run $i of $scenario_runs"
        begin_tests scenarios LogAgent.IntegrationTests 7200 700s --filter FullyQualifiedName~LogAgent.IntegrationTests.Scenarios.
        end_tests scenarios
        echo "run $i of $scenario_runs: $((passed - before)) passed, $failed failed so far"
    done
    end_format
    finish
fi

step "unit tests and format"
begin_tests unit-tests LogAgent.Tests 600 240s
end_tests unit-tests
end_format

if [ $unit_only = no ]; then
    step "a Debian with systemd"
    await_debian
    step "integration tests: those with containers, and beside them those with servers and packages"
    containers='Scenarios Containers Image' filter='' rest=''
    for folder in $containers; do
        filter="$filter|FullyQualifiedName~LogAgent.IntegrationTests.$folder."
        rest="$rest&FullyQualifiedName!~LogAgent.IntegrationTests.$folder."
    done
    begin_tests containers LogAgent.IntegrationTests 1800 700s --filter "${filter#|}"
    begin_tests servers LogAgent.IntegrationTests 1800 700s --filter "${rest#&}"
    end_tests servers
    end_tests containers
fi
finish
