with

orders as (
    select * from {{ ref('stg_hub__orders') }}
),

details as (
    select * from {{ ref('stg_hub__order_details') }}
),

final as (
    select
        orders.order_id,
        orders.channel,
        details.session_id,
        details.anchor,
        orders.currency,
        orders.paid_minor,
        orders.refunded_minor
    from details
    inner join orders on details.order_id = orders.order_id
    where
        details.session_id is not null
        and orders.is_sale
)

select * from final
