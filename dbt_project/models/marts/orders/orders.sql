with

orders as (
    select * from {{ ref('stg_hub__orders') }}
    {% if is_incremental() %}
    where {{ is_changed() }}
    {% endif %}
),

final as (
    select
        order_id,
        channel,
        shop,
        order_number,
        profile_id,
        place,
        currency,
        status,
        payment_status,
        fulfilment_status,
        return_status,
        gross_minor,
        discount_minor,
        total_minor,
        paid_minor,
        refunded_minor,
        paid_minor - refunded_minor as net_paid_minor,
        placed_at,
        placed_date,
        paid_at,
        fulfilled_at,
        completed_at,
        cancelled_at,
        is_sale,
        event_count,
        first_received_at
    from orders
)

select * from final
