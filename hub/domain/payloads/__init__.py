"""What each type of event carries in `data`, as the channels send it: strings for ids, amounts and
quantities. JSON Schemas are generated from these types (`hub.domain.schemas`).

Fields that are not named here are kept with the event in the log, and ignored. Fields marked
personal are encrypted per person before they are kept. That ids hold no control characters and no
text holds NUL is checked in `hub.domain.events`, which can skip it for most events.
"""

from hub.domain.payloads import (
    allotments,
    cases,
    catalog,
    configs,
    coupons,
    members,
    orders,
    points,
    segments,
    stock,
    tiers,
)
from hub.domain.payloads.base import FREE_TEXT as FREE_TEXT
from hub.domain.payloads.base import IDENTIFIERS_MAX as IDENTIFIERS_MAX
from hub.domain.payloads.base import LINES_MAX as LINES_MAX
from hub.domain.payloads.base import PERSONAL_PARTS as PERSONAL_PARTS
from hub.domain.payloads.base import Attributes as Attributes
from hub.domain.payloads.base import Component as Component
from hub.domain.payloads.base import Currency as Currency
from hub.domain.payloads.base import Id as Id
from hub.domain.payloads.base import Name as Name
from hub.domain.payloads.base import Number as Number
from hub.domain.payloads.base import Payload as Payload
from hub.domain.payloads.base import PersonalId as PersonalId
from hub.domain.payloads.base import PersonalName as PersonalName
from hub.domain.payloads.base import Time as Time

BY_TYPE: dict[str, type[Payload]] = {
    **members.TYPES,
    **orders.TYPES,
    **stock.TYPES,
    **allotments.TYPES,
    **points.TYPES,
    **coupons.TYPES,
    **catalog.TYPES,
    **configs.TYPES,
    **tiers.TYPES,
    **cases.TYPES,
    **segments.TYPES,
}
"""Every type of event that the hub knows."""
