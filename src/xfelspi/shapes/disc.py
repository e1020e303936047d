"""Disc: a flat cylinder."""

from xfelspi.errors import InputError

from .cylinder import Cylinder, cylinder


def disc(diameter_nm: float, *, thickness_to_width: float = 0.25) -> Cylinder:
    """Return a flat cylinder; volume π r² · thickness.

    Parameters
    ----------
    diameter_nm : float
        From a rim to the opposite point of the other.
    thickness_to_width : float
        From 0.05 to 1.

    Raises
    ------
    InputError
        If it is thinner, or thicker than wide.

    Examples
    --------
    >>> coin = disc(60.0)
    >>> round(coin.length_nm / (2.0 * coin.radius_nm), 9)
    0.25
    """
    if not 0.05 <= thickness_to_width <= 1.0:
        raise InputError(
            f"thickness_to_width of a disc is {thickness_to_width:g}; it must lie between 0.05 and 1."
        )
    return cylinder(diameter_nm, length_to_width=thickness_to_width)
