select
    calendar_date,
    year,
    quarter,
    month,
    month_start_date,
    iso_year,
    iso_week,
    week_start_date,
    iso_weekday,
    is_weekend
from marts.dates
