"""Price and fee of an order against the skew.

A market has no order book: it takes the other side of every order at the index price plus a premium that grows with the skew, so an order
that increases the skew pays and one that reduces it earns.

Source: 000_f10a0af1cff63fc7.txt, "What is DexToro Liquidity?" (price impact as risk management); formulas from MECHANICS.md section 4,
"Fill price", "Order fee".
"""

from __future__ import annotations

from seawall.protocols.compiled import rule


@rule
def fill_price(price: float, skew: float, size: float, skew_scale: float) -> float:
    """USD per unit that an order pays or receives: the mean of the price moved by the skew before it and by the skew after it.

    Args:
        price: index price, USD per unit.
        skew: base asset, before the order.
        size: base asset, signed: > 0 buys.
        skew_scale: base asset; 0 for no price impact.

    Returns:
        price * (1 + (skew/scale + (skew + size)/scale)/2). It is negative where the skew is far below -skew_scale; no order is filled
        there.
    """
    if skew_scale <= 0.0:
        return price
    return price * (1.0 + (skew + 0.5 * size) / skew_scale)


@rule
def order_fee(skew: float, size: float, fill: float, maker_fee: float, taker_fee: float) -> float:
    """USD of fee on an order: maker for what reduces the skew, taker for what increases it.

    An order that turns the skew round is split: up to a skew of 0 it is a maker, beyond that a taker. Without a skew it is a taker.

    Args:
        skew: base asset, before the order.
        size: base asset, signed.
        fill: fill price, USD per unit.
        maker_fee: fraction of notional.
        taker_fee: fraction of notional.
    """
    after = skew + size
    if (skew > 0.0 and after < 0.0) or (skew < 0.0 and after > 0.0):
        return abs(skew) * fill * maker_fee + abs(after) * fill * taker_fee
    reduces = (skew > 0.0 and size < 0.0) or (skew < 0.0 and size > 0.0)
    return abs(size) * fill * (maker_fee if reduces else taker_fee)
