with

vouchers as (
    select * from {{ ref('int_vouchers_valued') }}
),

orders as (
    select * from {{ ref('stg_hub__orders') }}
),

details as (
    select * from {{ ref('stg_hub__order_details') }}
),

final as (
    select
        vouchers.coupon_id,
        orders.order_id,
        orders.place,
        orders.is_sale,
        details.session_id,
        orders.changed_xid
    from vouchers
    inner join orders
        on
            vouchers.channel = orders.channel
            and vouchers.shop = orders.shop
            and vouchers.order_number = orders.order_number
    left join details on orders.order_id = details.order_id
)

select * from final
