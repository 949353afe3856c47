{{ config(meta={'dagster': {'ref': {'name': 'points_balances'}}}) }}

with

balances as (
    select * from {{ ref('points_balances') }}
    where {{ is_of_changed('profile_id', ['points_balances', 'points_ledger']) }}
),

ledger as (
    select
        profile_id,
        sum(points) as points
    from {{ ref('points_ledger') }}
    where {{ is_of_changed('profile_id', ['points_balances', 'points_ledger']) }}
    group by profile_id
)

select coalesce(balances.profile_id, ledger.profile_id) as profile_id
from balances
full join ledger on balances.profile_id = ledger.profile_id
where
    coalesce(ledger.points, 0)
    -- Pending points are given, though they can't be spent yet; held ones are taken already.
    is distinct from balances.balance_points + balances.pending_points
