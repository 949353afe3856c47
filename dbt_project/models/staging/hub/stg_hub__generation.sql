with

replays as (
    select * from {{ source('access', 'replays') }}
)

-- The cluster tells a restored backup from its origin, the table a schema that was swapped in from
-- the one before, the last replay that rows were deleted. regclass is resolved when this view is
-- made, as the tables of the other views are.
select
    concat_ws(
        '/',
        (pg_control_system()).system_identifier,
        '{{ source("hub", "orders") }}'::regclass::oid,
        (
            select replay_id from replays
            where swapped
            order by started_at desc
            limit 1
        )
    ) as generation
