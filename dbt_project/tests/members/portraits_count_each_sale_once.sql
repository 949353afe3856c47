{{ config(meta={'dagster': {'ref': {'name': 'customer_portrait'}}}) }}

with

looked_at as (
    select identities.member_id
    from {{ ref('member_identities') }} as identities
    where {{ is_of_changed('profile_id', ['member_identities', 'orders']) }}
    union
    select portraits.member_id
    from {{ ref('customer_portrait') }} as portraits
    where {{ is_of_changed('member_id', ['customer_portrait', 'member_identities']) }}
),

portraits as (
    select portraits.*
    from {{ ref('customer_portrait') }} as portraits
    inner join looked_at on portraits.member_id = looked_at.member_id
),

sales as (
    select
        identities.member_id,
        count(*) as order_count,
        max(orders.placed_date) as last_order_date,
        sum(orders.paid_minor - orders.refunded_minor) as spent_minor,
        count(distinct orders.currency) as currency_count
    from {{ ref('orders') }} as orders
    inner join {{ ref('member_identities') }} as identities
        on orders.profile_id = identities.profile_id
    inner join looked_at on identities.member_id = looked_at.member_id
    where
        orders.is_sale
        and orders.paid_at is not null
        and orders.cancelled_at is null
    group by identities.member_id
)

select coalesce(portraits.member_id, sales.member_id) as member_id
from portraits
full join sales on portraits.member_id = sales.member_id
where
    coalesce(portraits.order_count, 0) != coalesce(sales.order_count, 0)
    or portraits.last_order_date is distinct from sales.last_order_date
    -- Amounts of a portrait are in one currency.
    or (sales.currency_count = 1 and portraits.spent_minor is distinct from sales.spent_minor)
