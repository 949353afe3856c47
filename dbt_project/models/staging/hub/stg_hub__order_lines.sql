with

source as (
    select * from {{ source('hub', 'order_lines') }}
),

renamed as (
    select
        order_id,
        line,
        sku,
        {{ quantity('quantity_milli') }} as quantity,
        {{ quantity('fulfilled_milli') }} as fulfilled_quantity,
        {{ quantity('returned_milli') }} as returned_quantity,
        unit_price_minor,
        gross_minor,
        discount_minor,
        total_minor,
        discounts,
        discounts @> '[["coupon"]]'::jsonb
        or discounts @> '[["coupon_match"]]'::jsonb as is_couponed,
        changed_xid
    from source
)

select * from renamed
