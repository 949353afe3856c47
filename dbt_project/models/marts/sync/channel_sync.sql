-- depends_on: {{ ref('int_events_touched') }}
{{
    config(
        meta={'touched': 'int_events_touched', 'touched_by': 'received_date'},
    )
}}

with

events as (
    select * from {{ ref('int_events_judged') }}
    {% if is_incremental() %}
    where {{ is_touched('received_date') }}
    {% endif %}
),

final as (
    select
        received_date,
        channel,
        type,
        count(outcome)::int as received_count,
        count(*) filter (where outcome = 'applied')::int as applied_count,
        count(*) filter (where outcome = 'ignored')::int as ignored_count,
        count(*) filter (where outcome = 'parked')::int as parked_count,
        count(*) filter (where outcome = 'dead_letter')::int as dead_letter_count,
        percentile_cont(0.5) within group (order by latency_ms) as latency_ms_p50,
        percentile_cont(0.99) within group (order by latency_ms) as latency_ms_p99
    from events
    group by received_date, channel, type
)

select * from final
