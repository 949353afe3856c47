with

orders as (
    select * from {{ ref('stg_hub__orders') }}
),

final as (
    select
        order_id,
        profile_id,
        channel,
        shop,
        order_number,
        currency,
        paid_minor - refunded_minor as net_paid_minor,
        placed_at,
        placed_date
    from orders
    where
        is_sale
        and paid_at is not null
        and cancelled_at is null
)

select * from final
