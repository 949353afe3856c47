with

accounts as (
    select * from {{ ref('stg_hub__points_accounts') }}
    {% if is_incremental() %}
    where {{ is_changed() }}
    {% endif %}
),

final as (
    select
        profile_id,
        balance_points,
        issued_points,
        spent_points,
        expired_points,
        reversed_points,
        pending_points,
        held_points,
        open_points,
        debt_points
    from accounts
)

select * from final
