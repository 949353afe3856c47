-- depends_on: {{ ref('int_order_money_touched') }}
{{
    config(
        meta={'touched': 'int_order_money_touched', 'touched_by': 'order_id'},
    )
}}

with

orders as (
    select * from {{ ref('int_settlements_compared') }}
    {% if is_incremental() %}
    where {{ is_touched('order_id') }}
    {% endif %}
),

final as (
    select
        order_id,
        channel,
        shop,
        order_number,
        is_sale,
        currency,
        placed_date,
        charged_minor,
        paid_minor,
        refunded_minor,
        bill_count,
        billed_minor,
        fee_minor,
        commission_minor,
        subsidy_minor,
        payout_minor,
        payment_difference_minor,
        bill_difference_minor,
        status
    from orders
)

select * from final
