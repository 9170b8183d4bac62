# A noisy app: five lines a second, every tenth of them with trouble.
n=0
while true; do
    n=$((n + 1))
    echo "order $n accepted"
    [ $((n % 10)) -ne 0 ] || echo "order $n: payment timed out" >&2
    sleep 0.2
done
