with

members as (
    select * from {{ ref('stg_hub__members') }}
),

profiles as (
    select * from {{ ref('stg_hub__profiles') }}
),

sales as not materialized (
    select * from {{ ref('int_sales_of_profiles') }}
),

order_lines as not materialized (
    select * from {{ ref('stg_hub__order_lines') }}
),

items as (
    select * from {{ ref('stg_hub__items') }}
),

accounts as (
    select * from {{ ref('stg_hub__points_accounts') }}
),

lots as (
    select * from {{ ref('stg_hub__points_lots') }}
),

tiers as (
    select * from {{ ref('stg_hub__member_tiers') }}
),

redemptions as (
    select * from {{ ref('stg_hub__coupon_redemptions') }}
),

-- Lateral, so that an increment looks up the facts of its own members only; by arrays, since the
-- planner joins nothing into the inside of a model, but looks up there what an array names.
portrayed as (
    select
        members.member_id,
        held.profile_count,
        bought.first_order_date,
        bought.last_order_date,
        bought.order_count,
        bought.channels,
        bought.preferred_channel,
        spent.currency,
        coalesce(spent.spent_minor, 0) as spent_minor,
        coalesce(spent.spent_minor / spent.order_count, 0) as average_order_minor,
        bought_of.preferred_category,
        discounted.order_count + redeemed.order_count as coupon_order_count,
        coalesce(ranked.tiers, '{}'::jsonb) as tiers,
        coalesce(balanced.points_balance, 0) as points_balance,
        lapsing.points_at_risk,
        lapsing.next_expiry_date
    from members
    left join lateral (
        select
            count(*)::int as profile_count,
            array_agg(profiles.profile_id) as profile_ids
        from profiles
        where profiles.member_id = members.member_id
    ) as held on true
    left join lateral (
        select sum(accounts.balance_points)::bigint as points_balance
        from accounts
        where accounts.profile_id = any(held.profile_ids)
    ) as balanced on true
    left join lateral (
        select
            min(sales.placed_date) as first_order_date,
            max(sales.placed_date) as last_order_date,
            count(sales.order_id)::int as order_count,
            coalesce(
                array_agg(distinct sales.channel order by sales.channel), array[]::text[]
            ) as channels,
            mode() within group (order by sales.channel) as preferred_channel,
            array_agg(sales.order_id) as order_ids
        from sales
        where sales.profile_id = any(held.profile_ids)
    ) as bought on true
    left join lateral (
        select
            sales.currency,
            count(sales.order_id) as order_count,
            sum(sales.net_paid_minor)::bigint as spent_minor
        from sales
        where sales.profile_id = any(held.profile_ids)
        group by sales.currency
        order by count(sales.order_id) desc, sales.currency asc
        limit 1
    ) as spent on true
    left join lateral (
        select described.category as preferred_category
        from order_lines
        -- The limit keeps the planner from reading all items for each member.
        cross join
            lateral (
                select items.category from items
                where
                    items.sku = order_lines.sku
                    and items.category is not null
                order by items.sku
                limit 1
            ) as described
        where order_lines.order_id = any(bought.order_ids)
        group by described.category
        order by sum(order_lines.total_minor) desc, described.category asc
        limit 1
    ) as bought_of on true
    left join lateral (
        select
            count(distinct order_lines.order_id)::int as order_count,
            coalesce(array_agg(order_lines.order_id), array[]::uuid[]) as order_ids
        from order_lines
        where
            order_lines.order_id = any(bought.order_ids)
            and order_lines.is_couponed
    ) as discounted on true
    left join lateral (
        select count(distinct sales.order_id)::int as order_count
        from redemptions
        inner join sales
            on
                redemptions.profile_id = sales.profile_id
                and redemptions.channel = sales.channel
                and redemptions.shop = sales.shop
                and redemptions.order_number = sales.order_number
        where
            redemptions.profile_id = any(held.profile_ids)
            and redemptions.is_accepted
            and redemptions.reversed_at is null
            and sales.order_id != all(discounted.order_ids)
    ) as redeemed on true
    left join lateral (
        select jsonb_object_agg(tiers.scheme, tiers.level) as tiers
        from tiers
        where
            tiers.member_id = members.member_id
            and tiers.level is not null
    ) as ranked on true
    left join lateral (
        select
            coalesce(
                sum(lots.open_points) filter (where lots.expires_at <= now() + interval '30 days'),
                0
            )::bigint as points_at_risk,
            min(lots.expires_date) as next_expiry_date
        from lots
        where
            lots.profile_id = any(held.profile_ids)
            and lots.open_points > 0
    ) as lapsing on true
    where members.merged_into_member_id is null
),

paced as (
    select
        *,
        (
            (last_order_date - first_order_date)::numeric / nullif(order_count - 1, 0)
        )::numeric(9, 1) as days_between_orders
    from portrayed
    where profile_count > 0
),

final as (
    select
        member_id,
        first_order_date,
        last_order_date,
        order_count,
        currency,
        spent_minor,
        average_order_minor,
        days_between_orders,
        -- Quiet for twice as long as usual, a month at least; who bought once has a quarter.
        last_order_date + case
            when days_between_orders is null then 90
            else greatest(ceil(2 * days_between_orders)::int, 30)
        end as churn_risk_date,
        channels,
        cardinality(channels) as channel_count,
        preferred_channel,
        preferred_category,
        coupon_order_count,
        coalesce(coupon_order_count::numeric / nullif(order_count, 0), 0)::numeric(5, 4)
            as coupon_order_share,
        tiers,
        points_balance,
        points_at_risk,
        next_expiry_date
    from paced
)

select * from final
