with

sessions as not materialized (
    select * from {{ ref('stg_hub__live_sessions') }}
),

details as (
    select * from {{ ref('stg_hub__order_details') }}
),

money as (
    select * from {{ ref('int_order_money_touched') }}
),

sales as (
    select * from {{ ref('int_vouchers_sold') }}
),

coupons as (
    select * from {{ ref('int_coupons_touched') }}
),

orders as (
    select * from {{ ref('stg_hub__orders') }}
),

events as (
    select * from {{ ref('stg_log__events') }}
),

named as (
    select
        channel,
        session_id
    from sessions
    union
    select
        channel,
        session_id
    from {{ ref('int_session_orders_named') }}
),

final as (
    select
        session_id,
        changed_xid
    from sessions
    union all
    select
        details.session_id,
        money.changed_xid
    from money
    inner join details on money.order_id = details.order_id
    where details.session_id is not null
    union all
    select
        sales.session_id,
        coupons.changed_xid
    from coupons
    inner join sales on coupons.coupon_id = sales.coupon_id
    where sales.session_id is not null
    union all
    -- An amendment may have named another session than the last one: any of its channel.
    select
        named.session_id,
        orders.changed_xid
    from orders
    inner join events on orders.order_id = events.entity_key
    inner join named on orders.channel = named.channel
    where events.type = 'order.amended'
)

select * from final
