"""What a call costs: ratios, charges, the bounds of a hold, token counts. Pure functions over immutable tables."""

from one_api.pricing.ratios import Prices, Tariff

__all__ = ["Prices", "Tariff"]
