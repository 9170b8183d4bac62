#!/bin/bash
# The inside of try.sh: runs as root under a booted systemd.
set -uo pipefail
failures=0
ok() { echo "ok      $1"; }
failed() { echo "FAILED  $1"; failures=$((failures + 1)); }
check() { local what=$1; shift; if "$@" >/dev/null 2>&1; then ok "$what"; else failed "$what"; fi; }
# until_true SECONDS COMMAND...
until_true() { local end=$((SECONDS + $1)); shift; until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done; }
property() { systemctl show -p "$1" --value logagent.service; }
export DEBIAN_FRONTEND=noninteractive

# A container as dockerd leaves it on disk, and the agent as packaged, but with an output that needs no network and a short watchdog.
id=$(printf 'a%.0s' {1..64})
log=/var/lib/docker/containers/$id/$id-json.log
mkdir -p -m 0710 /var/lib/docker /var/lib/docker/containers "$(dirname "$log")"
echo "{\"ID\":\"$id\",\"Name\":\"/shop\",\"State\":{\"Running\":true,\"Pid\":1},\"Image\":\"sha256:1\",\"Config\":{\"Image\":\"registry:5000/shop:1.2\",\"Labels\":{}},\"LogPath\":\"$log\",\"Driver\":\"overlay2\",\"MountPoints\":{}}" >"$(dirname "$log")/config.v2.json"
chmod 0600 "$(dirname "$log")/config.v2.json"
echo '{"LogConfig":{"Type":"json-file","Config":{}}}' >"$(dirname "$log")/hostconfig.json"
touch "$log"
chmod 0640 "$log"
say() { echo "{\"log\":\"$1\\n\",\"stream\":\"stdout\",\"time\":\"2026-11-20T20:35:46.685148284Z\"}" >>"$log"; }
delivered() { grep -qs "$1" /var/lib/logagent/shipped*.json; }

[ ! -f /try/runtime.deb ] || dpkg -i /try/runtime.deb >/dev/null
check 'installs' dpkg -i /try/first.deb
check 'makes its user' getent passwd logagent
check 'is enabled' systemctl is-enabled logagent
check 'is ready within 20 s' until_true 20 systemctl is-active logagent
[ "$(stat -c '%a %U:%G' /etc/logagent/logagent.yaml)" = '640 root:logagent' ] && ok 'its configuration is for root and itself' || failed "its configuration is $(stat -c '%a %U:%G' /etc/logagent/logagent.yaml)"
[ "$(property StatusText)" != '' ] && ok "says how it does: $(property StatusText)" || failed 'says how it does (STATUS is empty)'
pid=$(property MainPID)
[ "$(ps -o user= -p "$pid")" = logagent ] && ok 'runs as its user' || failed 'runs as its user'
[ "$(sed -n 's/^CapEff:\t0*//p' /proc/"$pid"/status)" = 4 ] && ok 'has CAP_DAC_READ_SEARCH and no more' || failed "capabilities: $(grep Cap /proc/"$pid"/status)"

# Beside it a second agent, whose output nobody takes: a pipe that is open and full. Its process is well, its pipeline is wedged.
mkdir -p /srv/wedged
mkfifo -m 0666 /srv/wedged/pipe
exec 9<>/srv/wedged/pipe
seq 40000 | sed 's/^/a line that does not get through: /' >/srv/wedged/app.log
cat >/srv/wedged/logagent.yaml <<'YAML'
docker: { discovery: none }
files: [{ paths: [/srv/wedged/app.log] }]
state: { directory: /var/lib/wedged }
metrics: { listen: "" }
drain: 2s
YAML
sed -e "s#^ExecStart=.*#ExecStart=/bin/sh -c 'exec /usr/bin/logagent run --config /srv/wedged/logagent.yaml >/srv/wedged/pipe'#" \
    -e 's/^StateDirectory=.*/StateDirectory=wedged/' -e 's/^WatchdogSec=.*/WatchdogSec=4s\nTimeoutAbortSec=2s/' \
    /lib/systemd/system/logagent.service >/etc/systemd/system/wedged.service
systemctl daemon-reload
check 'a second agent starts, whose output takes nothing' systemctl start wedged
wedged=$(systemctl show -p MainPID --value wedged)

mkdir -p /etc/systemd/system/logagent.service.d
install -m 0600 /dev/stdin /root/cluster <<<'a-secret-name'
printf '[Service]\nWatchdogSec=4s\nTimeoutAbortSec=2s\nLoadCredential=cluster:/root/cluster\n' >/etc/systemd/system/logagent.service.d/try.conf
systemctl daemon-reload
cat >/etc/logagent/logagent.yaml <<'YAML'
cluster: ${credential:cluster}
docker: { discovery: files }
outputs:
  - type: file
    path: /var/lib/logagent/shipped.json
YAML
systemctl restart logagent
say first
until_true 15 delivered first && ok 'delivers what a container wrote' || { failed 'delivers what a container wrote'; journalctl -u logagent -n 20 --no-pager; ls -la /var/lib/logagent; }
delivered '"registry:5000/shop"' && ok 'with its image' || failed 'with its image'
delivered '"a-secret-name"' && ok 'and with what only root may read, by LoadCredential' || failed 'and with what only root may read, by LoadCredential'

pid=$(property MainPID)
printf '  - type: file\n    name: second\n    path: /var/lib/logagent/second.json\n' >>/etc/logagent/logagent.yaml
check 'reloads' systemctl reload logagent
check 'and says so' until_true 15 bash -c 'journalctl -u logagent --no-pager | grep "configuration was read again"'
say second
until_true 15 delivered second && until_true 15 grep -qs second /var/lib/logagent/second*.json && ok 'delivers to a second output after it' || failed 'delivers to a second output after it'
[ "$(property MainPID)" = "$pid" ] && ok 'is the same process after a reload' || failed 'is the same process after a reload'
cp /etc/logagent/logagent.yaml /try/good.yaml
echo 'no_such_key: 1' >>/etc/logagent/logagent.yaml
systemctl reload logagent
until_true 10 bash -c 'journalctl -u logagent --no-pager | grep no_such_key' && ok 'refuses a wrong configuration with the reason' || failed 'refuses a wrong configuration with the reason'
say third
until_true 15 delivered third && ok 'and ships on with the old one' || failed 'and ships on with the old one'
cp /try/good.yaml /etc/logagent/logagent.yaml
systemctl reload logagent

kill -STOP "$pid"
until_true 30 bash -c "[ \"\$(systemctl show -p MainPID --value logagent)\" != $pid ] && systemctl is-active logagent" && ok 'a stopped process is killed by the watchdog and started again' || failed 'a stopped process is killed by the watchdog and started again'
journalctl -u logagent --no-pager | grep -iq watchdog && ok 'for that reason' || failed 'for that reason'
say fourth
until_true 15 delivered fourth && ok 'and ships on' || failed 'and ships on'
[ "$(cat /var/lib/logagent/shipped*.json | grep -c '"message":"first"')" = 1 ] && ok 'the first record was shipped once' || failed 'the first record was shipped once'

from=$SECONDS
check 'stops' systemctl stop logagent
[ $((SECONDS - from)) -le 25 ] && ok "within $((SECONDS - from)) s" || failed "stopping took $((SECONDS - from)) s"
[ "$(property Result)" = success ] && ok 'cleanly' || failed "cleanly: $(property Result)"
systemctl start logagent

pid=$(property MainPID)
check 'is upgraded, its configuration changed on both sides' dpkg --force-confold -i /try/next.deb
cmp -s /try/good.yaml /etc/logagent/logagent.yaml && ok 'keeps the configuration of the administrator' || failed 'keeps the configuration of the administrator'
[ -f /etc/logagent/logagent.yaml.dpkg-dist ] && ok 'and puts the new one beside it' || failed 'and puts the new one beside it'
[ "$(stat -c '%a %U:%G' /etc/logagent/logagent.yaml)" = '640 root:logagent' ] && ok 'with its permissions' || failed "with its permissions: $(stat -c '%a %U:%G' /etc/logagent/logagent.yaml)"
until_true 20 systemctl is-active logagent && [ "$(property MainPID)" != "$pid" ] && ok 'is started anew' || failed 'is started anew'
say fifth
until_true 15 delivered fifth && ok 'goes on where it was' || failed 'goes on where it was'

until_true 60 bash -c "[ \"\$(systemctl show -p NRestarts --value wedged)\" -ge 1 ] && systemctl is-active wedged" && ok 'the agent with the wedged pipeline is killed by the watchdog and started again' || failed 'the agent with the wedged pipeline is killed by the watchdog and started again'
journalctl -u wedged --no-pager | grep -iq 'watchdog timeout' && ok 'for that reason' || failed "for that reason: $(journalctl -u wedged -n 20 --no-pager)"
[ ! -d "/proc/$wedged" ] && ok 'and its old process is gone' || failed 'and its old process is gone'
from=$SECONDS
systemctl stop wedged
[ $((SECONDS - from)) -le 25 ] && ok "wedged again, it stops within its deadline: $((SECONDS - from)) s" || failed "stopping a wedged agent took $((SECONDS - from)) s"
[ "$(systemctl show -p Result --value wedged)" != timeout ] && ok 'by itself' || failed 'by itself: systemd had to kill it'

check 'is removed' dpkg -r logagent
check 'and stopped' bash -c '! systemctl is-active logagent'
[ -d /var/lib/logagent ] && [ -f /etc/logagent/logagent.yaml ] && ok 'its positions and configuration stay' || failed 'its positions and configuration stay'
check 'is installed again' dpkg --force-confold -i /try/first.deb
check 'and runs' until_true 20 systemctl is-active logagent
check 'is purged' dpkg -P logagent
left=$(ls -d /var/lib/logagent /etc/logagent/logagent.yaml /usr/bin/logagent /lib/systemd/system/logagent.service /etc/systemd/system/multi-user.target.wants/logagent.service 2>/dev/null)
[ -z "$left" ] && ok 'nothing is left' || failed "is left: $left"
check 'nor its user' bash -c '! getent passwd logagent'
echo "$failures failed"
[ $failures = 0 ]
