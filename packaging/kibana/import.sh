#!/bin/sh
# Imports logagent.ndjson (data view, searches, dashboard) into Kibana 8.9 or later; run again, it overwrites its own objects only.
#   KIBANA_URL       http://127.0.0.1:5601, with the base path if there is one
#   KIBANA_SPACE     the space; the default space if unset
#   KIBANA_API_KEY   or KIBANA_USER and KIBANA_PASSWORD; handed to curl on its standard input, so that `ps` does not show them
#   KIBANA_CA        file of the CA that signed Kibana's certificate
set -eu
url=${KIBANA_URL:-http://127.0.0.1:5601}
url=${url%/}
file=$(dirname "$0")/logagent.ndjson
[ -n "${KIBANA_SPACE:-}" ] && url=$url/s/$KIBANA_SPACE

# A value of curl's configuration: within quotes a backslash and a quote are escaped.
quoted() { printf '%s' "$1" | sed 's/[\\"]/\\&/g'; }
settings() {
    if [ -n "${KIBANA_API_KEY:-}" ]; then
        printf 'header = "Authorization: ApiKey %s"\n' "$(quoted "$KIBANA_API_KEY")"
    elif [ -n "${KIBANA_USER:-}" ]; then
        printf 'user = "%s:%s"\n' "$(quoted "$KIBANA_USER")" "$(quoted "${KIBANA_PASSWORD:-}")"
    fi
    [ -z "${KIBANA_CA:-}" ] || printf 'cacert = "%s"\n' "$(quoted "$KIBANA_CA")"
}

if ! answer=$(settings | curl --config - --silent --show-error --max-time 60 --write-out '\n%{http_code}' \
    --header 'kbn-xsrf: logagent' --form "file=@$file;type=application/ndjson" \
    "$url/api/saved_objects/_import?overwrite=true"); then
    echo "import.sh: no answer from Kibana at $url; set KIBANA_URL (and KIBANA_CA for a private CA)" >&2
    exit 1
fi
status=$(printf '%s' "$answer" | tail -n 1)
body=$(printf '%s' "$answer" | sed '$d')
# 200 is also the status of an import that failed in part: only "success":true at the top is success.
case $status:$body in
    200:*'"success":true'*) echo "imported into $url: open the dashboard \"LogAgent: overview\"" ;;
    401:* | 403:*) echo "import.sh: Kibana refused the credentials ($status): set KIBANA_API_KEY, or KIBANA_USER and KIBANA_PASSWORD; the role needs to manage saved objects" >&2; exit 1 ;;
    *) echo "import.sh: Kibana answered $status: $body" >&2; exit 1 ;;
esac
