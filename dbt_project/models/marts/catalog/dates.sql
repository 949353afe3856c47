with

days as (
    select * from {{ ref('int_days_counted') }}
),

festivals as (
    select * from {{ ref('int_festivals_listed') }}
),

final as (
    select
        days.calendar_date,
        extract(year from days.calendar_date)::int as year,
        extract(quarter from days.calendar_date)::int as quarter,
        extract(month from days.calendar_date)::int as month,
        date_trunc('month', days.calendar_date)::date as month_start_date,
        extract(isoyear from days.calendar_date)::int as iso_year,
        extract(week from days.calendar_date)::int as iso_week,
        date_trunc('week', days.calendar_date)::date as week_start_date,
        extract(isodow from days.calendar_date)::int as iso_weekday,
        extract(isodow from days.calendar_date) in (6, 7) as is_weekend,
        festivals.festival,
        festivals.festival_zh
    from days
    left join festivals on days.calendar_date = festivals.festival_date
)

select * from final
