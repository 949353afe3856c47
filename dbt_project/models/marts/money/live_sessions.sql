-- depends_on: {{ ref('int_live_sessions_touched') }}
{{
    config(
        meta={'touched': 'int_live_sessions_touched', 'touched_by': 'session_id'},
    )
}}

with

sessions as (
    select * from {{ ref('int_live_sessions_summed') }}
    {% if is_incremental() %}
    where {{ is_touched('session_id') }}
    {% endif %}
),

final as (
    select
        channel,
        session_id,
        currency,
        anchors,
        opened_at,
        closed_at,
        order_count,
        paid_minor,
        refunded_minor,
        voucher_sold_minor,
        voucher_redeemed_minor,
        fee_minor,
        commission_minor,
        subsidy_minor,
        net_minor
    from sessions
)

select * from final
