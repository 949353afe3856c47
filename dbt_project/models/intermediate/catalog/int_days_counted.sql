with

final as (
    select days.day::date as calendar_date
    from
        generate_series(
            timestamp '2015-01-01', timestamp '2035-12-31', interval '1 day'
        ) as days (day)
)

select * from final
