with

inbox as not materialized (
    select * from {{ ref('stg_log__inbox') }}
),

events as (
    select * from {{ ref('stg_log__events') }}
),

dead_letters as (
    select * from {{ ref('stg_log__dead_letters') }}
),

-- By the whole key of the log, so that an increment looks up the events of its own days only.
final as (
    select
        inbox.received_date,
        events.channel,
        events.type,
        inbox.outcome,
        -- What the hub decided itself was never on its way.
        case
            when events.channel != 'hub'
                then extract(epoch from inbox.received_at - events.produced_at) * 1000
        end as latency_ms,
        inbox.changed_xid
    from inbox
    inner join events
        on
            inbox.entity_key = events.entity_key
            and inbox.log_id = events.log_id
            and inbox.received_at = events.received_at
    union all
    select
        received_date,
        channel,
        type,
        'dead_letter' as outcome,
        null::numeric as latency_ms,
        changed_xid
    from dead_letters
)

select * from final
