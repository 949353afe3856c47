with

source as (
    select * from {{ source('hub', 'points_lots') }}
),

renamed as (
    select
        lot_id,
        profile_id,
        open_points,
        expires_at,
        {{ business_date('expires_at') }} as expires_date,
        changed_xid
    from source
)

select * from renamed
