with

orders as not materialized (
    select * from {{ ref('stg_hub__orders') }}
),

details as (
    select * from {{ ref('stg_hub__order_details') }}
),

refunds as (
    select * from {{ ref('stg_hub__order_refunds') }}
),

captured as (
    select
        order_id,
        'money' as kind,
        '' as part,
        'captured' as status,
        paid_minor as amount_minor,
        0::bigint as points,
        coalesce(paid_at, placed_at) as made_at
    from orders
    where paid_minor != 0
),

tendered as (
    select
        details.order_id,
        tenders.kind,
        tenders.part,
        'captured' as status,
        tenders.amount_minor,
        tenders.points,
        orders.placed_at as made_at
    from details
    inner join orders on details.order_id = orders.order_id
    cross join lateral (
        select
            tender.entry ->> 'kind' as kind,
            tender.number::text as part,
            (tender.entry ->> 'amount_minor')::bigint as amount_minor,
            coalesce((tender.entry ->> 'points')::bigint, 0) as points
        from jsonb_array_elements(details.tenders) with ordinality as tender (entry, number)
    ) as tenders
),

returned as (
    select
        order_id,
        kind,
        refund_id as part,
        status,
        -amount_minor as amount_minor,
        -points as points,
        coalesce(ended_at, asked_at) as made_at
    from refunds
),

parts as (
    select * from captured
    union all
    select * from tendered
    union all
    select * from returned
),

final as (
    select
        parts.order_id,
        parts.kind,
        parts.part,
        orders.channel,
        orders.shop,
        orders.order_number,
        orders.profile_id,
        orders.is_sale,
        parts.status,
        orders.currency,
        parts.amount_minor,
        parts.points,
        parts.made_at,
        {{ business_date('parts.made_at') }} as made_date
    from parts
    inner join orders on parts.order_id = orders.order_id
)

select * from final
