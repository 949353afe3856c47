with

-- First days of months 1, 5, 7, 8, 9 and 12 of the Chinese calendar's years from 2014 to 2035
-- (GB/T 33661-2017), on which lunar-python 1.4.8 and LunarCalendar 0.0.9 agree.
years as (
    select first_days.*
    from
        (
            values
            (
                date '2014-01-31',
                date '2014-05-29',
                date '2014-07-27',
                date '2014-08-25',
                date '2014-09-24',
                date '2015-01-20'
            ),
            ('2015-02-19', '2015-06-16', '2015-08-14', '2015-09-13', '2015-10-13', '2016-01-10'),
            ('2016-02-08', '2016-06-05', '2016-08-03', '2016-09-01', '2016-10-01', '2016-12-29'),
            ('2017-01-28', '2017-05-26', '2017-08-22', '2017-09-20', '2017-10-20', '2018-01-17'),
            ('2018-02-16', '2018-06-14', '2018-08-11', '2018-09-10', '2018-10-09', '2019-01-06'),
            ('2019-02-05', '2019-06-03', '2019-08-01', '2019-08-30', '2019-09-29', '2019-12-26'),
            ('2020-01-25', '2020-06-21', '2020-08-19', '2020-09-17', '2020-10-17', '2021-01-13'),
            ('2021-02-12', '2021-06-10', '2021-08-08', '2021-09-07', '2021-10-06', '2022-01-03'),
            ('2022-02-01', '2022-05-30', '2022-07-29', '2022-08-27', '2022-09-26', '2022-12-23'),
            ('2023-01-22', '2023-06-18', '2023-08-16', '2023-09-15', '2023-10-15', '2024-01-11'),
            ('2024-02-10', '2024-06-06', '2024-08-04', '2024-09-03', '2024-10-03', '2024-12-31'),
            ('2025-01-29', '2025-05-27', '2025-08-23', '2025-09-22', '2025-10-21', '2026-01-19'),
            ('2026-02-17', '2026-06-15', '2026-08-13', '2026-09-11', '2026-10-10', '2027-01-08'),
            ('2027-02-06', '2027-06-05', '2027-08-02', '2027-09-01', '2027-09-30', '2027-12-28'),
            ('2028-01-26', '2028-05-24', '2028-08-20', '2028-09-19', '2028-10-18', '2029-01-15'),
            ('2029-02-13', '2029-06-12', '2029-08-10', '2029-09-08', '2029-10-08', '2030-01-04'),
            ('2030-02-03', '2030-06-01', '2030-07-30', '2030-08-29', '2030-09-27', '2030-12-25'),
            ('2031-01-23', '2031-06-20', '2031-08-18', '2031-09-17', '2031-10-16', '2032-01-13'),
            ('2032-02-11', '2032-06-08', '2032-08-06', '2032-09-05', '2032-10-04', '2033-01-01'),
            ('2033-01-31', '2033-05-28', '2033-07-26', '2033-08-25', '2033-09-23', '2034-01-20'),
            ('2034-02-19', '2034-06-16', '2034-08-14', '2034-09-13', '2034-10-12', '2035-01-09'),
            ('2035-02-08', '2035-06-06', '2035-08-04', '2035-09-02', '2035-10-01', '2035-12-29')
        ) as first_days (month_1, month_5, month_7, month_8, month_9, month_12)
),

lunar as (
    select
        festivals.festival,
        festivals.festival_zh,
        festivals.festival_date
    from years
    cross join lateral (
        values
        ('New Year''s Eve', '除夕', years.month_1 - 1),
        ('Spring Festival', '春节', years.month_1),
        ('Lantern Festival', '元宵节', years.month_1 + 14),
        ('Dragon Boat Festival', '端午节', years.month_5 + 4),
        ('Qixi Festival', '七夕节', years.month_7 + 6),
        ('Ghost Festival', '中元节', years.month_7 + 14),
        ('Mid-Autumn Festival', '中秋节', years.month_8 + 14),
        ('Double Ninth Festival', '重阳节', years.month_9 + 8),
        ('Laba Festival', '腊八节', years.month_12 + 7)
    ) as festivals (festival, festival_zh, festival_date)
),

-- By the solar terms.
solar as (
    select
        'Qingming Festival' as festival,
        '清明节' as festival_zh,
        unnest(
            array[
                '2015-04-05', '2016-04-04', '2017-04-04', '2018-04-05', '2019-04-05',
                '2020-04-04', '2021-04-04', '2022-04-05', '2023-04-05', '2024-04-04',
                '2025-04-04', '2026-04-05', '2027-04-05', '2028-04-04', '2029-04-04',
                '2030-04-05', '2031-04-05', '2032-04-04', '2033-04-04', '2034-04-05',
                '2035-04-05'
            ]::date[]
        ) as festival_date
),

fixed as (
    select
        festivals.festival,
        festivals.festival_zh,
        make_date(years.year, festivals.month, festivals.day) as festival_date
    from
        (
            values
            ('New Year', '元旦', 1, 1),
            ('Labour Day', '劳动节', 5, 1),
            ('National Day', '国庆节', 10, 1)
        ) as festivals (festival, festival_zh, month, day)
    cross join generate_series(2015, 2035) as years (year)
),

-- Two may fall on one day, as in 2020: that day has both names.
final as (
    select
        named.festival_date,
        string_agg(named.festival, ', ' order by named.festival) as festival,
        string_agg(named.festival_zh, '、' order by named.festival) as festival_zh
    from (
        select * from lunar
        union all
        select * from solar
        union all
        select * from fixed
    ) as named
    where named.festival_date between '2015-01-01' and '2035-12-31'
    group by named.festival_date
)

select * from final
