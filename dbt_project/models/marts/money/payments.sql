-- depends_on: {{ ref('int_order_money_touched') }}
{{
    config(
        meta={'touched': 'int_order_money_touched', 'touched_by': 'order_id'},
    )
}}

with

parts as (
    select * from {{ ref('int_payments_made') }}
    {% if is_incremental() %}
    where {{ is_touched('order_id') }}
    {% endif %}
),

final as (
    select
        order_id,
        kind,
        part,
        channel,
        shop,
        order_number,
        profile_id,
        is_sale,
        status,
        currency,
        amount_minor,
        points,
        made_at,
        made_date
    from parts
)

select * from final
