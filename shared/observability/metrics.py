"""The closed list of metrics. Labels are bounded: never an id, a URL or a file name."""

from prometheus_client import Counter, Gauge, Histogram

_SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 120)

JOBS_TAKEN = Counter("veracity_jobs_taken", "jobs taken in", ["source"])
JOBS_REFUSED = Counter("veracity_jobs_refused", "submissions refused at the door", ["code"])
JOBS_REJECTED = Counter("veracity_jobs_rejected", "jobs that planning found unusable", ["code"])
JOBS_PLANNED = Counter("veracity_jobs_planned", "jobs planned")
OLDEST_UNFINISHED = Gauge("veracity_oldest_unfinished_job_seconds", "age of the oldest unfinished job")
REQUEST_SECONDS = Histogram(
    "veracity_request_seconds", "answering one HTTP request", ["route", "method", "status"], buckets=_SECONDS
)
RECORDS_IN = Counter("veracity_records_in", "records consumed", ["topic"])
RECORDS_OUT = Counter("veracity_records_out", "records produced and acknowledged", ["topic"])
RECORDS_RETRIED = Counter("veracity_records_retried", "attempts after a transient fault", ["topic"])
RECORDS_EXPIRED = Counter("veracity_records_expired", "records dropped past their job's deadline", ["topic"])
DEAD_LETTERS = Counter("veracity_dead_letters", "records dead-lettered", ["topic", "reason"])
LAG = Gauge("veracity_consumer_lag_records", "records behind the end, assigned partitions", ["topic"])
PARTITIONS = Gauge("veracity_assigned_partitions", "partitions assigned", ["topic"])
IN_FLIGHT = Gauge("veracity_in_flight_records", "records taken and not yet finished")
BATCH_SIZE = Histogram(
    "veracity_batch_windows", "windows in one inference batch", ["modality"], buckets=(1, 2, 4, 8, 16, 32, 64)
)
DECODE_SECONDS = Histogram("veracity_decode_seconds", "decoding one segment", ["modality"], buckets=_SECONDS)
INFERENCE_SECONDS = Histogram("veracity_inference_seconds", "one inference batch", ["step"], buckets=_SECONDS)
WINDOWS = Counter("veracity_windows", "windows embedded, absent or failed", ["modality", "status"])
BAD_MEDIA = Counter("veracity_bad_media", "media faults met while decoding", ["code"])
JOIN_OPEN_JOBS = Gauge("veracity_join_open_jobs", "jobs that the join waits for")
JOIN_WAITING = Gauge("veracity_join_waiting_windows", "windows with one modality still missing")
JOIN_LATE = Counter("veracity_join_late_records", "records after the verdict, counted and dropped")
JOIN_DUPLICATES = Counter("veracity_join_duplicate_records", "records that came before")
WINDOWS_SCORED = Counter("veracity_windows_scored", "windows scored")
VERDICTS = Counter("veracity_verdicts", "verdicts published", ["verdict"])
EXPLANATIONS = Counter("veracity_explanations", "explanations published", ["status"])
EXPLAIN_SECONDS = Histogram("veracity_explain_seconds", "explaining one job", buckets=_SECONDS)
STORE_SECONDS = Histogram("veracity_store_seconds", "one object store call", ["operation"], buckets=_SECONDS)
