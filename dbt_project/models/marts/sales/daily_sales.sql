-- depends_on: {{ ref('int_sales_touched') }}
{{
    config(
        meta={'touched': 'int_sales_touched', 'touched_by': 'sales_date'},
    )
}}

with

sales as not materialized (
    select * from {{ ref('int_sales_dated') }}
    {% if is_incremental() %}
    where {{ is_touched('sales_date') }}
    {% endif %}
),

profiles as (
    select * from {{ ref('stg_hub__profiles') }}
),

order_lines as (
    select * from {{ ref('stg_hub__order_lines') }}
),

units as (
    select
        sales.sales_date,
        sales.channel,
        sales.currency,
        sum(order_lines.quantity) as unit_quantity
    from sales
    inner join order_lines on sales.order_id = order_lines.order_id
    where sales.measure = 'placed'
    group by sales.sales_date, sales.channel, sales.currency
),

buyers as (
    select distinct
        sales.sales_date,
        sales.channel,
        sales.currency,
        profiles.member_id
    from sales
    inner join profiles on sales.profile_id = profiles.profile_id
    where sales.measure = 'placed'
),

members as (
    select
        sales_date,
        channel,
        currency,
        count(member_id) as member_count
    from buyers
    group by sales_date, channel, currency
),

summed as (
    select
        sales.sales_date,
        sales.channel,
        sales.currency,
        count(sales.order_id) filter (where sales.measure = 'placed')::int as order_count,
        coalesce(
            sum(sales.amount_minor) filter (where sales.measure = 'placed'), 0
        )::bigint as gmv_minor,
        coalesce(
            sum(sales.amount_minor) filter (where sales.measure = 'paid'), 0
        )::bigint as paid_minor,
        coalesce(
            sum(sales.amount_minor) filter (where sales.measure = 'refunded'), 0
        )::bigint as refunded_minor,
        coalesce(
            sum(sales.amount_minor) filter (where sales.measure = 'voucher_sold'), 0
        )::bigint as voucher_sold_minor,
        coalesce(
            sum(sales.amount_minor) filter (where sales.measure = 'voucher_earned'), 0
        )::bigint as voucher_earned_minor,
        coalesce(
            sum(sales.amount_minor) filter (where sales.measure = 'voucher_released'), 0
        )::bigint as voucher_released_minor
    from sales
    group by sales.sales_date, sales.channel, sales.currency
),

final as (
    select
        summed.sales_date,
        summed.channel,
        summed.currency,
        summed.order_count,
        coalesce(members.member_count, 0)::int as member_count,
        coalesce(units.unit_quantity, 0)::numeric(18, 3) as unit_quantity,
        summed.gmv_minor,
        summed.paid_minor,
        summed.refunded_minor,
        summed.voucher_sold_minor,
        summed.voucher_earned_minor,
        summed.voucher_released_minor,
        summed.paid_minor
        - summed.refunded_minor
        - summed.voucher_sold_minor
        + summed.voucher_earned_minor
        + summed.voucher_released_minor as net_sales_minor
    from summed
    left join units
        on
            summed.sales_date = units.sales_date
            and summed.channel = units.channel
            and summed.currency = units.currency
    left join members
        on
            summed.sales_date = members.sales_date
            and summed.channel = members.channel
            and summed.currency = members.currency
)

select * from final
