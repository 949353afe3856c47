with

orders as (
    select * from {{ ref('stg_hub__orders') }}
),

details as (
    select * from {{ ref('stg_hub__order_details') }}
),

refunds as (
    select * from {{ ref('stg_hub__order_refunds') }}
),

bills as (
    select * from {{ ref('stg_hub__order_settlements') }}
),

final as (
    select
        order_id,
        changed_xid
    from orders
    union all
    select
        order_id,
        changed_xid
    from details
    union all
    select
        order_id,
        changed_xid
    from refunds
    union all
    select
        order_id,
        changed_xid
    from bills
)

select * from final
