# What the benchmarks have in common: programs in the background that are ended however the benchmark ends, a nats-server,
# warm-up, pairs of runs. Sourced with `name` (of the benchmark), `bin` (where the programs are), `connections` and `pairs`
# set; sets `directory`, for files that are gone afterwards.
# shellcheck shell=bash disable=SC2154

fail() {
    printf '%s: %s\n' "$name" "$*" >&2
    exit 1
}

directory=$(mktemp -d "${TMPDIR:-/tmp}/natsgate-$name.XXXXXX")
children=()

finish() {
    local status=$? pid
    trap - EXIT
    for pid in ${children[@]+"${children[@]}"}; do kill "$pid" 2>/dev/null || true; done
    for pid in ${children[@]+"${children[@]}"}; do wait "$pid" 2>/dev/null || true; done
    if [ "$status" -ne 0 ]; then tail -n 5 "$directory"/*.log >&2 || true; fi
    rm -rf "$directory"
    exit "$status"
}
trap finish EXIT
trap 'exit 130' INT TERM

# start NAME COMMAND...: in the background, its output in a file.
start() {
    local name=$1
    shift
    "$@" >"$directory/$name.log" 2>&1 </dev/null &
    children+=($!)
}

free_port() {
    python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# run ADDRESS SECONDS [OPTION...]: prints the load program's line.
run() { "$bin/examples/bench_load" "$1" /echo --connections "$connections" --seconds "$2" "${@:3}"; }

# warm_up NAME ADDRESS [OPTION...]: until the program answers, 20 s at most, and then for 2 s more.
warm_up() {
    local attempt
    for attempt in $(seq 100); do
        if "$bin/examples/bench_load" "$2" /echo --connections 1 --seconds 0.1 "${@:3}" \
            >/dev/null 2>"$directory/load.log"; then
            run "$2" 2 "${@:3}" >/dev/null
            return
        fi
        sleep 0.2
    done
    fail "$1 does not answer on $2 after $attempt attempts"
}

# start_nats: sets `nats` to the URL of a nats-server of this benchmark's own.
start_nats() {
    local ports
    start nats-server "$(scripts/nats-server)" --addr 127.0.0.1 --port -1 --ports_file_dir "$directory"
    ports=$directory/nats-server_${children[${#children[@]} - 1]}.ports
    for _ in $(seq 100); do
        [ ! -s "$ports" ] || break
        sleep 0.1
    done
    nats=$(sed -n 's/.*"\(nats:[^"]*\)".*/\1/p' "$ports" 2>/dev/null | head -n 1) || true
    [ -n "$nats" ] || fail "nats-server did not start"
}

# compare BASE MEASURED REQUIRED: runs of both in pairs, in alternating order, so that whatever drifts favours neither. BASE
# and MEASURED are functions that print the load program's line for a number of seconds. Fails if the median of the ratios is
# below REQUIRED.
compare() {
    local base=$1 measured=$2 required=$3 pair of_base of_measured ratio median
    rm -f "$directory/ratios"
    printf '%s: %s pairs of %s s, %s connections\n' "$name" "$pairs" "$seconds" "$connections"
    for pair in $(seq "$pairs"); do
        if [ $((pair % 2)) -eq 1 ]; then
            of_base=$("$base" "$seconds")
            of_measured=$("$measured" "$seconds")
        else
            of_measured=$("$measured" "$seconds")
            of_base=$("$base" "$seconds")
        fi
        ratio=$(awk -v measured="${of_measured%% *}" -v base="${of_base%% *}" 'BEGIN { printf "%.3f", measured / base }')
        printf '%s\n' "$ratio" >>"$directory/ratios"
        printf '%2d  %-9s %s\n    %-9s %s\n    ratio     %s\n' "$pair" "$base" "$of_base" "$measured" "$of_measured" "$ratio"
    done
    median=$(sort -n "$directory/ratios" | awk '{ r[NR] = $1 } END { printf "%.3f", (r[int((NR + 1) / 2)] + r[int(NR / 2) + 1]) / 2 }')
    printf 'median ratio %s, at least %s is required\n' "$median" "$required"
    awk -v median="$median" -v required="$required" 'BEGIN { exit !(median >= required) }' ||
        fail "the median of $measured is below $required of $base"
}
