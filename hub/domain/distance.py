"""How far apart two points of the earth are. Pure; it chooses between places and counts nothing."""

from math import asin, cos, radians, sin, sqrt

from msgspec import Struct

EARTH_KM = 6371.0


class Point(Struct, frozen=True):
    """Degrees, north and east above 0."""

    latitude: float
    longitude: float


def km(one: Point, other: Point) -> float:
    """Along the great circle."""
    north, south = radians(one.latitude), radians(other.latitude)
    across = sin((north - south) / 2) ** 2
    along = sin(radians(one.longitude - other.longitude) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(across + cos(north) * cos(south) * along)))
