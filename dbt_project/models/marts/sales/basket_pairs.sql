-- depends_on: {{ ref('int_baskets_touched') }}
{{
    config(
        meta={'touched': 'int_baskets_touched', 'touched_by': 'month_start_date'},
    )
}}

with

baskets as (
    select * from {{ ref('int_baskets_counted') }}
    {% if is_incremental() %}
    where {{ is_touched('month_start_date') }}
    {% endif %}
),

months as (
    select
        month_start_date,
        sum(order_count) as order_count
    from baskets
    group by month_start_date
),

categories as (
    select
        baskets.month_start_date,
        held.category,
        sum(baskets.order_count) as order_count
    from baskets
    cross join lateral unnest(baskets.categories) as held (category)
    group by baskets.month_start_date, held.category
),

pairs as (
    select
        baskets.month_start_date,
        one.category,
        other.category as other_category,
        sum(baskets.order_count) as order_count
    from baskets
    cross join lateral unnest(baskets.categories) as one (category)
    cross join lateral unnest(baskets.categories) as other (category)
    where one.category < other.category
    group by baskets.month_start_date, one.category, other.category
),

final as (
    select
        pairs.month_start_date,
        pairs.category,
        pairs.other_category,
        pairs.order_count::int as order_count,
        one.order_count::int as category_order_count,
        other.order_count::int as other_category_order_count,
        months.order_count::int as month_order_count,
        round(
            pairs.order_count::numeric
            * months.order_count
            / (one.order_count * other.order_count),
            4
        )::numeric(12, 4) as lift
    from pairs
    inner join months on pairs.month_start_date = months.month_start_date
    inner join categories as one
        on
            pairs.month_start_date = one.month_start_date
            and pairs.category = one.category
    inner join categories as other
        on
            pairs.month_start_date = other.month_start_date
            and pairs.other_category = other.category
)

select * from final
