"""What auth counts beside the figures that every service has (docs/operating/observe.md lists them)."""

from ostiary_shared.metrics import counter, gauge, histogram, shapes

# Who asks the gate or who somebody is, by which address; `source` is where the answer came from.
DECISIONS = counter(
    "ostiary_gate_decisions_total",
    "Answers at /gate, /gate/nginx and /api/v1/session. Outcome: allowed, sign_in, refused or failed. Source: memory, "
    "database, repeated (said a moment ago to the same question) or app.",
    "door", "outcome", "source",
)  # fmt: skip
GATE_SECONDS = histogram(
    "ostiary_gate_seconds",
    "How long answers at these three took that were not ready in memory; those that are take some 10 µs.",
    "door",
)
MEMORY = counter("ostiary_memory_lookups_total", "Tokens looked for in memory, by result: hit or miss.", "result")
RECORDS = gauge("ostiary_memory_records", "Sessions in memory, of all processes together.")
ROOM = gauge("ostiary_memory_room", "Sessions that fit into memory, of all processes together.")
EVICTED = counter("ostiary_memory_evictions_total", "Sessions that made room in memory for others.")
LEASE_HELD = gauge("ostiary_lease_held", "Processes that may answer from memory.")
LEASE_WANTED = gauge("ostiary_lease_wanted", "Processes that would like to.")
LEASE_LOST = counter("ostiary_lease_losses_total", "How often a process lost the right to answer from memory.")
ECHO_AGE = gauge(
    "ostiary_lease_echo_age_seconds",
    "How long ago the last heartbeat was sent that came back, of the process with the oldest.",
    over_processes="livemax",
)

HASHER = gauge("ostiary_argon2_build_info", "1, with the build of Argon2 in use.", "build", over_processes="livemax")
HASH_SECONDS = histogram("ostiary_hash_seconds", "How long one password took to check or hash.", buckets=shapes.HASH)
HASH_WAIT = histogram("ostiary_hash_wait_seconds", "How long it waited for its turn.", buckets=shapes.WAIT)
HASH_REFUSED = counter("ostiary_hash_refusals_total", "Sign-ins and the like turned away, as too many waited.")
HASH_RUNNING = gauge("ostiary_hash_running", "Passwords being checked or hashed now.")
HASH_WAITING = gauge("ostiary_hash_waiting", "Those that wait for their turn.")

SIGN_INS = counter(
    "ostiary_sign_ins_total",
    "Tries to sign in with a password: signed_in, refused, not_confirmed, too_often or busy.",
    "outcome",
)
