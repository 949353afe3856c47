-- Keys rotate: the secret before stays good for a while. Requests a second: null is the default.
alter table access.api_keys
add column former_digest bytea,
add column former_until timestamptz,
add column rotated_at timestamptz,
add column requests_per_s int,
add constraint api_keys_requests_positive check (requests_per_s > 0);
