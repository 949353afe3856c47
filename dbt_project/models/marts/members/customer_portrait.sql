-- depends_on: {{ ref('int_portraits_touched') }}
{{
    config(
        meta={'touched': 'int_portraits_touched', 'touched_by': 'member_id'},
    )
}}

with

-- All that follows starts from these, so that an increment looks up the facts of its own members.
profiles as (
    select
        profiles.member_id,
        profiles.profile_id
    from {{ ref('stg_hub__profiles') }} as profiles
    inner join {{ ref('stg_hub__members') }} as members on profiles.member_id = members.member_id
    where
        members.merged_into_member_id is null
        {% if is_incremental() %}
        and members.member_id in (select touched.member_id from touched)
        {% endif %}
),

members as (
    select distinct member_id from profiles
),

sales as (
    select
        profiles.member_id,
        sales.order_id,
        sales.channel,
        sales.currency,
        sales.net_paid_minor,
        sales.placed_date
    from profiles
    inner join {{ ref('int_sales_of_profiles') }} as sales
        on profiles.profile_id = sales.profile_id
),

channels as (
    select
        member_id,
        channel,
        currency,
        count(order_id) as order_count,
        sum(net_paid_minor) as spent_minor,
        min(placed_date) as first_order_date,
        max(placed_date) as last_order_date
    from sales
    group by member_id, channel, currency
),

bought as (
    select
        member_id,
        min(first_order_date) as first_order_date,
        max(last_order_date) as last_order_date,
        sum(order_count)::int as order_count,
        array_agg(distinct channel order by channel) as channels
    from channels
    group by member_id
),

preferred_channels as (
    select distinct on (member_id)
        member_id,
        channel
    from channels
    group by member_id, channel
    order by member_id asc, sum(order_count) desc, channel asc
),

spent as (
    select distinct on (member_id)
        member_id,
        currency,
        sum(spent_minor)::bigint as spent_minor,
        sum(spent_minor)::bigint / sum(order_count)::bigint as average_order_minor
    from channels
    group by member_id, currency
    order by member_id asc, sum(order_count) desc, currency asc
),

-- The lines of all sales are read once.
categories as (
    select
        sales.member_id,
        items.category,
        sum(order_lines.total_minor) as total_minor,
        array_agg(order_lines.order_id) filter (where order_lines.is_couponed)
            as couponed_order_ids
    from sales
    inner join {{ ref('stg_hub__order_lines') }} as order_lines
        on sales.order_id = order_lines.order_id
    left join {{ ref('stg_hub__items') }} as items on order_lines.sku = items.sku
    group by sales.member_id, items.category
),

preferred_categories as (
    select distinct on (member_id)
        member_id,
        category
    from categories
    where category is not null
    order by member_id asc, total_minor desc, category asc
),

couponed as (
    select
        used.member_id,
        count(distinct used.order_id)::int as order_count
    from (
        select
            categories.member_id,
            unnest(categories.couponed_order_ids) as order_id
        from categories
        union all
        select
            profiles.member_id,
            redeemed.order_id
        from profiles
        inner join {{ ref('int_sales_redeemed') }} as redeemed
            on profiles.profile_id = redeemed.profile_id
    ) as used
    group by used.member_id
),

tiers as (
    select
        members.member_id,
        jsonb_object_agg(reached.scheme, reached.level) as tiers
    from members
    inner join {{ ref('stg_hub__member_tiers') }} as reached
        on members.member_id = reached.member_id
    where reached.level is not null
    group by members.member_id
),

balances as (
    select
        profiles.member_id,
        sum(accounts.balance_points)::bigint as points_balance
    from profiles
    inner join {{ ref('stg_hub__points_accounts') }} as accounts
        on profiles.profile_id = accounts.profile_id
    group by profiles.member_id
),

lapsing as (
    select
        profiles.member_id,
        (
            sum(lots.open_points) filter (where lots.expires_at <= now() + interval '30 days')
        )::bigint as points_at_risk,
        min(lots.expires_date) as next_expiry_date
    from profiles
    inner join {{ ref('stg_hub__points_lots') }} as lots
        on profiles.profile_id = lots.profile_id
    where lots.open_points > 0
    group by profiles.member_id
),

paced as (
    select
        *,
        (
            (last_order_date - first_order_date)::numeric / nullif(order_count - 1, 0)
        )::numeric(9, 1) as days_between_orders
    from bought
),

final as (
    select
        members.member_id,
        paced.first_order_date,
        paced.last_order_date,
        coalesce(paced.order_count, 0) as order_count,
        spent.currency,
        coalesce(spent.spent_minor, 0) as spent_minor,
        coalesce(spent.average_order_minor, 0) as average_order_minor,
        paced.days_between_orders,
        -- Quiet for twice as long as usual, a month at least; who bought once has a quarter.
        paced.last_order_date + case
            when paced.days_between_orders is null then 90
            else greatest(ceil(2 * paced.days_between_orders)::int, 30)
        end as churn_risk_date,
        coalesce(paced.channels, array[]::text[]) as channels,
        coalesce(cardinality(paced.channels), 0) as channel_count,
        preferred_channels.channel as preferred_channel,
        preferred_categories.category as preferred_category,
        coalesce(couponed.order_count, 0) as coupon_order_count,
        coalesce(couponed.order_count::numeric / nullif(paced.order_count, 0), 0)::numeric(5, 4)
            as coupon_order_share,
        coalesce(tiers.tiers, '{}'::jsonb) as tiers,
        coalesce(balances.points_balance, 0) as points_balance,
        coalesce(lapsing.points_at_risk, 0) as points_at_risk,
        lapsing.next_expiry_date
    from members
    left join paced on members.member_id = paced.member_id
    left join spent on members.member_id = spent.member_id
    left join preferred_channels on members.member_id = preferred_channels.member_id
    left join preferred_categories on members.member_id = preferred_categories.member_id
    left join couponed on members.member_id = couponed.member_id
    left join tiers on members.member_id = tiers.member_id
    left join balances on members.member_id = balances.member_id
    left join lapsing on members.member_id = lapsing.member_id
)

select * from final
