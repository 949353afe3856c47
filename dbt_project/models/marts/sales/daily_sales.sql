-- depends_on: {{ ref('int_sales_touched') }}
{{
    config(
        meta={'touched': 'int_sales_touched', 'touched_by': 'sales_date'},
    )
}}

with

sales as (
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
        sales.order_id,
        sum(order_lines.quantity) as unit_quantity
    from sales
    inner join order_lines on sales.order_id = order_lines.order_id
    where sales.measure = 'placed'
    group by sales.order_id
),

summed as (
    select
        sales.sales_date,
        sales.channel,
        sales.currency,
        count(sales.order_id) filter (where sales.measure = 'placed')::int as order_count,
        count(distinct profiles.member_id) filter (where sales.measure = 'placed')::int
            as member_count,
        coalesce(
            sum(units.unit_quantity) filter (where sales.measure = 'placed'), 0
        )::numeric(18, 3) as unit_quantity,
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
    left join profiles on sales.profile_id = profiles.profile_id
    left join units on sales.order_id = units.order_id
    group by sales.sales_date, sales.channel, sales.currency
),

final as (
    select
        sales_date,
        channel,
        currency,
        order_count,
        member_count,
        unit_quantity,
        gmv_minor,
        paid_minor,
        refunded_minor,
        voucher_sold_minor,
        voucher_earned_minor,
        voucher_released_minor,
        paid_minor
        - refunded_minor
        - voucher_sold_minor
        + voucher_earned_minor
        + voucher_released_minor as net_sales_minor
    from summed
)

select * from final
