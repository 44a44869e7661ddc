# The tasks of a reader and of a contributor. `just` alone lists them.

set positional-arguments

# Load client and server on the port that the book uses, unless PORT says else
port := env("PORT", "8888")

# The first build takes a minute or more: cargo says what it does meanwhile
quiet := if path_exists("target/release") == "true" { "--quiet" } else { "" }
quiet_workbench := if path_exists("target/debug/workbench") == "true" { "--quiet" } else { "" }

[private]
default:
    @just --list --unsorted

# Run a step: just run 04 [--port 8888 …]
[no-exit-message]
run step *args:
    @shift; cargo run {{ quiet }} --release --bin "$(basename steps/{{ step }}*)" -- "$@"

# Run all tests, or those that concern one step: just test [04]
test *step:
    cargo test {{ if step == "" { "--workspace" } else { '-p "step-$(basename steps/' + step + '*)"' } }}

# Put N requests on the server that is running: just load 10000
[no-exit-message]
load n *args:
    @shift; cargo run {{ quiet }} --release --bin 03-load-client -- {{ n }} --port {{ port }} "$@"

# Compare the servers under the same load
[no-exit-message]
compare *args:
    @cargo run {{ quiet }} --release --bin 05-compare -- "$@"

# Step 04 beside the bare calls, a server on tokio, and any: just peers --external 'mine=COMMAND {port}'
[no-exit-message]
peers *args:
    @cargo build --quiet --release --package step-04-epoll --example floor
    @cargo build --quiet --release --manifest-path book/peers/tokio-pong/Cargo.toml --target-dir target
    @just compare --only 04 --baseline 04-epoll --rounds 12 --duration 0.5 --timeout 1 --ratios \
        --scenario keep-alive-100,keep-alive-1000,pipelined-50,churn \
        --external 'floor=target/release/examples/floor {port}' \
        --external 'tokio=target/release/tokio-pong {port}' "$@"

# Steps 04 and 09 beside the runtimes that use io_uring (the first build takes some minutes)
[no-exit-message]
peers-uring *args:
    @cargo build --quiet --release --bin 04-epoll --bin 09-uring
    @cargo build --quiet --release --manifest-path book/peers/uring-pong/Cargo.toml --target-dir target
    @just compare --only 04 --also 09-uring --baseline 04-epoll --rounds 12 --duration 0.3 --timeout 1 --ratios \
        --scenario keep-alive-100,keep-alive-1000,pipelined-50,churn --server-cpus 1 --client-cpus 0 \
        --external 'min-wait=target/release/09-uring --quiet --min-wait 100 --port {port}' \
        --external 'tokio-uring=target/release/tokio-uring-pong {port}' \
        --external 'monoio=target/release/monoio-pong {port}' \
        --external 'compio=target/release/compio-pong {port}' \
        --external 'glommio=target/release/glommio-pong {port}' "$@"

# What each trick of step 04 (or 09) brings: build it without, and compare (some minutes)
[no-exit-message]
without *args:
    @book/without/compare "$@"

# Answer a question by an experiment: just lab backlog; alone it lists them
lab *args:
    @cargo build --quiet --release --bin 07-cores
    @cargo run {{ quiet }} --release --bin 06-labs -- "$@"

# Run a server that makes one mistake: just wrong one-recv-for-one-message; alone it lists them
[no-exit-message]
wrong *args:
    @cargo run {{ quiet }} --release --package faulty --bin wrong -- "$@"

# Test any server: just check 127.0.0.1:8888, or just check 'COMMAND --port {port}'
[no-exit-message]
check server *args:
    @cargo run {{ quiet }} --release --package conformance --bin check -- "$@"

# Begin a server of your own in mine/: just start 04 [--in python] [--at 3]
[no-exit-message]
start *args:
    @cargo run {{ quiet_workbench }} --package workbench -- start "$@"

# Build and check your own server: just mine [04] [--watch]
[no-exit-message]
mine *args:
    @cargo run {{ quiet_workbench }} --package workbench -- mine "$@"

# Show what a stage adds to the one before: just stage 04 5; just stage 04 lists them
[no-exit-message]
stage *args:
    @cargo run {{ quiet_workbench }} --package workbench -- stage "$@"

# Let every system call fail, and see how the servers bear it: just faults [04-epoll] [--call accept4]
faults *args:
    @cargo build --quiet --release --workspace
    @cargo run {{ quiet }} --release --package stress --bin faults -- "$@"

# Mutation testing: which change of a step's lines does no test notice? just mutants 00-protocol, or a part of them: just mutants 04-epoll --shard 0/8 (needs cargo install cargo-mutants)
mutants step *args:
    @shift; cargo mutants --package step-{{ step }} --timeout 60 "$@" -- {{ if step =~ '^0[124]' { "--lib --test conformance --test command_line --test printing --test hardening --test shutdown --test bounds --test faults $(basename -a -s .rs steps/" + step + "/tests/*.rs | sed 's/^/--test /')" } else { "" } }}

# Fuzz the protocol for some seconds: just fuzz 60 (needs cargo install cargo-fuzz)
fuzz seconds:
    cd steps/00-protocol && cargo fuzz run --sanitizer none conversation -- -max_total_time={{ seconds }} -max_len=4096

# Keep good and hostile clients on a server, and see what is left: just soak 10 [02-threads]
soak minutes *step:
    @cargo build --quiet --release --workspace
    @cargo run {{ quiet }} --release --package stress --bin soak -- "$@"

# Run a server, and see what it did and when: just trace 04-epoll, or any command (needs strace)
[no-exit-message]
trace *command:
    @cargo build {{ quiet }} --release --bin 01-blocking --bin 02-threads --bin 04-epoll
    @cargo run {{ quiet }} --release --package timeline -- trace "$@"

# Build the book and open it in a browser
book:
    mdbook build --open book

# Run the book's terminal sessions and time lines anew and write down what they show: just record [lab-pool]
record *names:
    cargo build --quiet --release --workspace
    cargo run {{ quiet }} --release --package book --bin record -- "$@"
    cargo run {{ quiet }} --release --package timeline -- record "$@"

# After a change to code that the book shows: its captions, whole files and links to names
listings:
    @cargo run --quiet --package book --bin listings

# Write anew what the book shows of the stages, from their files and a run
stage-pages:
    cargo run {{ quiet_workbench }} --package workbench -- pages

# Check the formatting, run clippy, build the API documentation
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet

# Everything that CI checks
ci: lint
    cargo test --workspace
    # A task that is never pending is caught however fast its server is.
    cargo build --release -p step-08-async --examples
    cargo test --release -p step-08-async --test wrong
    mdbook build book
    .ci/book-check

# Locust's web page for the server that is running: http://localhost:8089
[no-exit-message]
locust *args: locust-install
    @.venv/bin/locust -f steps/05-compare/locustfile.py --web-host 127.0.0.1 --host 127.0.0.1:{{ port }} "$@"

# Locust without its page: just locust-headless 04 100 10 [--processes 2]
[no-exit-message]
locust-headless step users seconds *args: locust-install
    #!/usr/bin/env bash
    set -euo pipefail
    coproc server { exec cargo run --quiet --release --bin "$(basename steps/"$1"*)" -- --port 0 --quiet; }
    pid=$server_PID
    trap 'kill "$pid"; wait "$pid"' EXIT
    read -r line <&"${server[0]}"
    .venv/bin/locust -f steps/05-compare/locustfile.py --host "${line##* }" \
        --headless --users "$2" --spawn-rate "$2" --run-time "$3" "${@:4}"

# Locust on three hosts, each a network namespace: just locust-hosts 04 [USERS [SECONDS [DELAY [LOSS]]]], such as 100 10 5ms 1%
[no-exit-message]
locust-hosts step *args: locust-install
    @cargo build --quiet --release --bin "$(basename steps/{{ step }}*)"
    @shift; steps/05-compare/locust-hosts "$PWD/.venv/bin/locust" "$PWD/target/release/$(basename steps/{{ step }}*)" "$@"

[private]
locust-install:
    @test -x .venv/bin/locust || { python3 -m venv .venv && .venv/bin/pip install --quiet -r steps/05-compare/requirements.txt; }
