with

members as (
    select * from {{ ref('int_members_touched') }}
),

profiles as (
    select * from {{ ref('stg_hub__profiles') }}
),

orders as not materialized (
    select * from {{ ref('stg_hub__orders') }}
),

order_lines as (
    select * from {{ ref('stg_hub__order_lines') }}
),

items as (
    select * from {{ ref('stg_hub__items') }}
),

growth as (
    select * from {{ ref('stg_hub__growth_entries') }}
),

accounts as (
    select * from {{ ref('stg_hub__points_accounts') }}
),

lots as not materialized (
    select * from {{ ref('stg_hub__points_lots') }}
),

tiers as (
    select * from {{ ref('stg_hub__member_tiers') }}
),

redemptions as (
    select * from {{ ref('stg_hub__coupon_redemptions') }}
),

changed as (
    select
        profile_id,
        changed_xid
    from orders
    union all
    -- An order that changes its buyer takes its growth along: who had it before is named there.
    select
        profile_id,
        changed_xid
    from growth
    union all
    select
        profile_id,
        changed_xid
    from accounts
    union all
    select
        profile_id,
        changed_xid
    from lots
    union all
    select
        profile_id,
        changed_xid
    from redemptions
    union all
    select
        orders.profile_id,
        items.changed_xid
    from items
    inner join order_lines on items.sku = order_lines.sku
    inner join orders on order_lines.order_id = orders.order_id
    union all
    -- Time alone puts points at risk: whoever has such is looked at in every build.
    select
        profile_id,
        '18446744073709551615'::xid8 as changed_xid
    from lots
    where
        open_points > 0
        and expires_at <= now() + interval '30 days'
),

final as (
    select
        member_id,
        changed_xid
    from members
    union all
    select
        member_id,
        changed_xid
    from tiers
    union all
    select
        profiles.member_id,
        changed.changed_xid
    from changed
    inner join profiles on changed.profile_id = profiles.profile_id
)

select * from final
