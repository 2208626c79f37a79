# shellcheck shell=bash
# Sourced by scripts that run natsgate and programs beside it: starts them, each with its name before its lines, waits for
# what they print, and ends all of them, however the script ends. `quiet=true`, set before, keeps the lines back unless it
# fails. The script's own name is what its messages begin with.

: "${quiet:=false}"
script=${0##*/}

say() { printf '\n== %s\n' "$*"; }

fail() {
    printf '\n%s: %s\n' "$script" "$*" >&2
    exit 1
}

directory=$(mktemp -d "${TMPDIR:-/tmp}/natsgate-$script.XXXXXX")
names=() programs=() printers=()

# print NAME: copies lines from the input to the terminal, after the name, and to a log that can be searched.
print() {
    local line
    while IFS= read -r line; do
        printf '%s\n' "$line" >>"$directory/$1.log"
        "$quiet" || printf '%8s | %s\n' "$1" "$line"
    done
}

# start NAME COMMAND...: in a process group of its own (set -m), so that Ctrl-C reaches this script alone, which then ends
# the programs in the right order.
start() {
    local name=$1
    shift
    set -m
    : >"$directory/$name.log" # also of an earlier one of this name: a line that is awaited is this one's
    mkfifo "$directory/$name"
    print "$name" <"$directory/$name" &
    printers+=($!)
    "$@" >"$directory/$name" 2>&1 </dev/null &
    programs+=($!)
    set +m
    names+=("$name")
}

# stop INDEX: asks, waits 30 s, and only then insists. Fails unless the program ended well.
stop() {
    local pid=${programs[$1]}
    kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq 300); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
    wait "$pid"
}

# index_of NAME: where it stands; fails with a word if it was not started.
index_of() {
    local index
    for index in "${!names[@]}"; do
        if [ "${names[$index]}" = "$1" ]; then
            echo "$index"
            return
        fi
    done
    fail "$1 does not run"
}

# end NAME [STATUS]: as it is ended at the end, but now. Some programs end well with another status than 0.
end() {
    local index
    index=$(index_of "$1")
    stop "$index" || [ $? -eq "${2:-0}" ] || fail "$1 did not end well"
    forget "$index"
}

# slay NAME: with no time to say goodbye.
slay() {
    local index
    index=$(index_of "$1")
    kill -KILL "${programs[$index]}" 2>/dev/null || true
    wait "${programs[$index]}" 2>/dev/null || true
    forget "$index"
}

# forget INDEX: the program has ended. What it printed stays, and its name is free.
forget() {
    wait "${printers[$1]}" || true
    rm -f "$directory/${names[$1]}"
    unset "names[$1]" "programs[$1]" "printers[$1]"
    names=(${names[@]+"${names[@]}"}) programs=(${programs[@]+"${programs[@]}"}) printers=(${printers[@]+"${printers[@]}"})
}

finish() {
    local status=$? index
    trap - EXIT
    trap '' INT TERM
    # The services before the gateway, which takes its nats-server along.
    for ((index = ${#programs[@]} - 1; index >= 0; index--)); do
        if ! stop "$index" && [ "$status" -eq 0 ]; then
            printf '%s: %s did not end well\n' "$script" "${names[$index]}" >&2
            status=1
        fi
    done
    wait ${printers[@]+"${printers[@]}"} || true
    if "$quiet" && [ "$status" -ne 0 ]; then tail -n 20 "$directory"/*.log >&2 || true; fi
    rm -rf "$directory"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# running NAME: fails with a word if the program has ended.
running() {
    local index
    for index in "${!names[@]}"; do
        if [ "${names[$index]}" = "$1" ] && ! kill -0 "${programs[$index]}" 2>/dev/null; then
            fail "$1 has ended; its last lines are above"
        fi
    done
}

# await NAME SECONDS WHAT TEST...: until the test holds.
await() {
    local name=$1 tenths=$(($2 * 10)) what=$3
    shift 3
    until "$@"; do
        running "$name"
        [ "$tenths" -gt 0 ] || fail "$name: $what did not come in time"
        tenths=$((tenths - 1))
        sleep 0.1
    done
}

# has_line NAME TEXT
has_line() { grep -qF -- "$2" "$directory/$1.log"; }

# free_or_any PORT: the port if nobody has it, else 0, which lets the system choose.
free_or_any() {
    python3 - "$1" <<'PYTHON'
import socket, sys
with socket.socket() as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        probe.bind(("127.0.0.1", int(sys.argv[1])))
        print(sys.argv[1])
    except OSError:
        print(0)
PYTHON
}

# address NAME: what the gateway wrote into its ready file.
address() { python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$directory/ready" "$1"; }

# start_gateway: `natsgate dev` with the example's configuration, on the usual ports where they are free.
# Sets http, admin and nats to its addresses.
start_gateway() {
    start gateway "${CARGO_TARGET_DIR:-target}/debug/natsgate" dev --config config/natsgate.yaml --replicas 1 \
        --ready-file "$directory/ready" --listen "127.0.0.1:$(free_or_any 8080)" \
        --admin-listen "127.0.0.1:$(free_or_any 9090)"
    await gateway 60 "readiness" test -s "$directory/ready"
    # shellcheck disable=SC2034 # for the script that sources this
    http=$(address http) admin=$(address admin) nats=$(address nats)
}
