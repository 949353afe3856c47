"""What commands on coupons are asked with: the bodies of their requests. What they do is in
`hub_api.routes.coupon_commands`."""

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from hub.domain import coupon_tokens

Name = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[^\x00-\x1f\x7f]+$")]
Amount = Annotated[str, Field(min_length=1, max_length=24, examples=["168.00"])]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Personal = Annotated[str, Field(min_length=1, max_length=256)]
TTL_S_DEFAULT = 15 * 60
TTL_S_MAX = 24 * 60 * 60


class Asking(BaseModel):
    """Which shop asks, and of which channel: the key's, if it is of one."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    channel: Annotated[str | None, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")] = None
    shop: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class Using(Asking):
    """For an account of the channel, if one is named."""

    account: Name | None = None


class Terms(BaseModel):
    """What it grants and when: a discount is the face value, or a percentage up to a maximum.
    `once_per_person`: a person uses one coupon of the `template`."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    minimum: Amount | None = None
    percent_off: Annotated[int | None, Field(ge=1, le=100)] = None
    maximum: Amount | None = None
    stacking: Literal["alone", "other_templates", "any"] = "alone"
    on_expiry: Literal["lapse", "extend", "refund"] = "lapse"
    extension_days: Annotated[int | None, Field(ge=1, le=3_660)] = None
    undo_minutes: Annotated[int | None, Field(ge=0, le=527_040)] = None
    on_refund: Literal["return", "keep"] = "return"
    once_per_person: bool = False


class NewCoupon(Using):
    """A coupon to issue. `valid_through`: its last day, whole, in the business's zone."""

    kind: Literal["discount", "exchange", "times"]
    template: Name | None = None
    face_value: Amount | None = None
    paid_amount: Amount | None = None
    currency: Currency | None = None
    uses: Annotated[int, Field(ge=1, le=10_000)] = 1
    valid_from: AwareDatetime | None = None
    valid_through: Annotated[str | None, Field(pattern=r"^\d{4}-\d\d-\d\d$")] = None
    order_number: Name | None = None
    recipient_phone: Personal | None = None
    recipient_email: Personal | None = None
    terms: Terms | None = None


class Claim(Asking):
    """The account that takes the coupon into its wallet."""

    account: Name


class Reservation(Using):
    """A use to be held for one checkout."""

    reservation_id: Name
    order_number: Name | None = None
    place: Name | None = None
    ttl_s: Annotated[int, Field(ge=1, le=TTL_S_MAX)] = TTL_S_DEFAULT


class Redemption(Using):
    """A use. `redemption_id`: the shop's own name of it; `token`: what the till scanned."""

    redemption_id: Name
    reservation_id: Name | None = None
    order_number: Name | None = None
    place: Name | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    token: Annotated[str | None, Field(max_length=coupon_tokens.TOKEN_LENGTH_MAX)] = None


class Reversal(Asking):
    """A redemption of this shop that is undone."""

    redemption_id: Name
    reason: Annotated[str | None, Field(max_length=256)] = None


class Release(Asking):
    """A reservation of this shop that is given up; without its id, a coupon that was frozen."""

    reservation_id: Name | None = None
    reason: Annotated[str | None, Field(max_length=256)] = None


class Step(Asking):
    """What the issuer does with the coupon, and why."""

    reason: Annotated[str | None, Field(max_length=256)] = None


class Gift(Asking):
    """An account's holder gives the coupon to an account of the channel, or to a recipient."""

    account: Name
    to_account: Name | None = None
    recipient_phone: Personal | None = None
    recipient_email: Personal | None = None
    reason: Annotated[str | None, Field(max_length=256)] = None
