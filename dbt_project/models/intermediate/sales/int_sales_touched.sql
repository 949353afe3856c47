with

sales as (
    select * from {{ ref('int_sales_dated') }}
),

orders as not materialized (
    select * from {{ ref('stg_hub__orders') }}
),

coupons as (
    select * from {{ ref('int_coupons_touched') }}
),

links as (
    select * from {{ ref('stg_hub__member_links') }}
),

events as not materialized (
    select * from {{ ref('stg_log__events') }}
),

final as (
    select
        sales_date,
        changed_xid
    from sales
    union all
    -- A late event may have moved a sale or a refund to another day, or taken it away: all days
    -- that it was ever of are days of its events.
    select
        events.occurred_date as sales_date,
        orders.changed_xid
    from orders
    inner join events on orders.order_id = events.entity_key
    union all
    select
        events.occurred_date as sales_date,
        coupons.changed_xid
    from coupons
    inner join events on coupons.coupon_id = events.entity_key
    union all
    -- Who are one member is counted once a day.
    select
        orders.placed_date as sales_date,
        links.changed_xid
    from links
    inner join orders on links.profile_id = orders.profile_id
)

select * from final
