"""Every maximum and timeout of the API, in one place, each with where it comes from."""

# Kafka's default largest record batch is 1 MiB; a body of that size is some 2,000 orders.
BODY_BYTES_MAX = 1024 * 1024
# An order of 1,000 lines is about 130 kB; the record still fits Kafka's 1 MiB with headers.
EVENT_BYTES_MAX = 256 * 1024
BATCH_EVENTS_MAX = 1_000
# The deepest event of this version has 6 levels; unknown fields may be a bit deeper.
JSON_DEPTH_MAX = 20
# Faults named in one answer: a person reads the first few, a program resends after mending.
FAULTS_MAX = 50
EVENT_ID_LENGTH_MAX = 128

HEADERS_MAX = 100
HEADER_BYTES_MAX = 32 * 1024
TARGET_BYTES_MAX = 4 * 1024

# Bodies being read or sent at once: memory stays below BODIES_MAX * a few BODY_BYTES_MAX.
BODIES_MAX = 16
BODIES_WAIT_S = 2.0
BODY_TIMEOUT_S = 10.0
REQUEST_TIMEOUT_S = 20.0

# A healthy broker answers in milliseconds, a change of leader takes a few seconds.
KAFKA_SEND_TIMEOUT_S = 8.0
KAFKA_START_TIMEOUT_S = 4.0
KAFKA_STOP_TIMEOUT_S = 3.0
KAFKA_RETRY_AFTER_S = 5

POSTGRES_CONNECT_TIMEOUT_S = 3.0
POSTGRES_QUERY_TIMEOUT_S = 5.0
POSTGRES_ACQUIRE_TIMEOUT_S = 5.0
POSTGRES_READERS_MAX = 8
# Commands wait for each other on hot rows anyway: more connections would only wait there.
POSTGRES_WRITERS_MAX = 8
POSTGRES_RETRY_AFTER_S = 2
# A command takes some milliseconds; whoever sent it twice asks again when it is surely done.
IN_FLIGHT_RETRY_AFTER_S = 1

# A reservation is let go so long after its time at most; one look costs an index scan.
OVERDUE_EVERY_S = 1.0

READY_TIMEOUT_S = 2.0

# "Revoked within a second": a key is looked up again when what is known of it is this old; the
# other half is for the look itself.
KEY_CACHE_S = 0.5
KEY_REQUESTS_PER_S = 1_000
"""Of one key and API process, unless the key says otherwise."""
KEY_BURST_S = 2.0
"""Who was quiet may ask at once what is allowed for so long."""
KEY_CACHE_KEYS_MAX = 10_000
KEY_USED_FLUSH_S = 10.0

# Passwords tried at once: each takes 0.2 s of a core and 32 MiB.
PASSWORDS_TRIED_MAX = 2
PASSWORD_WAIT_S = 5.0

# "Live within a second": a channel is read again when what is known of it is this old.
CHANNEL_CACHE_S = 0.5
CHANNEL_CACHE_MAX = 1_000
# Platforms wait 5 s for an answer at most; Kafka needs some of it too.
DETAIL_TIMEOUT_S = 3.0
DETAIL_BYTES_MAX = 1024 * 1024
DETAIL_RETRY_AFTER_S = 30
DETAIL_CALLS_MAX = 16
# Who gets a platform's token has as long as a call may take; then another one may try.
TOKEN_LEASE_S = 2 * DETAIL_TIMEOUT_S
# A platform that gives none is asked for one so often at most, whoever needs it.
TOKEN_PAUSE_S = 1.0
TOKEN_LOOK_S = 0.05
# How often it is looked which lists of platforms are due.
POLL_LOOK_S = 1.0
# A page takes the call and the details of its messages; who dies is followed after so long.
POLL_LEASE_S = 120.0
# A list that failed is asked for again after this, or its own rhythm if that is longer.
POLL_RETRY_S = 10.0
POLL_PAGES_MAX = 1_000
# A channel that is switched off asks for its pushes again later.
CHANNEL_OFF_RETRY_AFTER_S = 600

PAGE_ROWS_DEFAULT = 50
PAGE_ROWS_MAX = 200
CURSOR_LENGTH_MAX = 1_024

# Lookups of a key that may find nothing in a minute before it has to wait. Clerks mistype codes now
# and then and new customers are looked up before they register; a guesser needs millions.
COUPON_MISSES_PER_MINUTE_MAX = 60
MEMBER_MISSES_PER_MINUTE_MAX = 600
MISSES_KEYS_MAX = 10_000

# Streams of one process; each waits in memory, and holds a connection of its reader.
STREAMS_MAX = 500
STREAM_START_TIMEOUT_S = 5.0
# So soon a stream ends whose key was revoked.
STREAM_CHECK_S = 1.0
# Proxies close what is silent for 30 to 60 s.
STREAM_HEARTBEAT_S = 15.0
STREAM_RETRY_MS = 1_000
# What waits for a slow reader: some seconds of a busy hub, then it has to come anew.
STREAM_EVENTS_MAX = 1_000
STREAM_POSITIONS_MAX = 10_000
STREAM_BYTES_MAX = 4 * 1024 * 1024
# Read at once of what was missed: about 10 ms of work, in which others wait.
STREAM_PAGE = 200
