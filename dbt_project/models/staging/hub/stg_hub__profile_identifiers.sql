with

source as (
    select * from {{ source('hub', 'profile_identifiers') }}
),

renamed as (
    select
        profile_id,
        identifier_type,
        value_hmac,
        proof,
        valid_from,
        valid_to,
        changed_xid
    from source
)

select * from renamed
