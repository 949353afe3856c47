with

-- By the lunar calendar and the solar terms: other days each year.
moving as (
    select
        'Spring Festival' as festival,
        '春节' as festival_zh,
        unnest(
            array[
                '2015-02-19', '2016-02-08', '2017-01-28', '2018-02-16', '2019-02-05',
                '2020-01-25', '2021-02-12', '2022-02-01', '2023-01-22', '2024-02-10',
                '2025-01-29', '2026-02-17', '2027-02-06', '2028-01-26', '2029-02-13',
                '2030-02-03', '2031-01-23', '2032-02-11', '2033-01-31', '2034-02-19',
                '2035-02-08'
            ]::date[]
        ) as festival_date
    union all
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
    union all
    select
        'Dragon Boat Festival' as festival,
        '端午节' as festival_zh,
        unnest(
            array[
                '2015-06-20', '2016-06-09', '2017-05-30', '2018-06-18', '2019-06-07',
                '2020-06-25', '2021-06-14', '2022-06-03', '2023-06-22', '2024-06-10',
                '2025-05-31', '2026-06-19', '2027-06-09', '2028-05-28', '2029-06-16',
                '2030-06-05', '2031-06-24', '2032-06-12', '2033-06-01', '2034-06-20',
                '2035-06-10'
            ]::date[]
        ) as festival_date
    union all
    select
        'Mid-Autumn Festival' as festival,
        '中秋节' as festival_zh,
        unnest(
            array[
                '2015-09-27', '2016-09-15', '2017-10-04', '2018-09-24', '2019-09-13',
                '2020-10-01', '2021-09-21', '2022-09-10', '2023-09-29', '2024-09-17',
                '2025-10-06', '2026-09-25', '2027-09-15', '2028-10-03', '2029-09-22',
                '2030-09-12', '2031-10-01', '2032-09-19', '2033-09-08', '2034-09-27',
                '2035-09-16'
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
        select * from moving
        union all
        select * from fixed
    ) as named
    group by named.festival_date
)

select * from final
