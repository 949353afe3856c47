with

source as (
    select * from {{ source('hub', 'points_accounts') }}
),

renamed as (
    select
        profile_id,
        issued_points,
        spent_points,
        expired_points,
        reversed_points,
        pending_points,
        held_points,
        open_points,
        debt_points,
        open_points - debt_points as balance_points,
        changed_xid
    from source
)

select * from renamed
