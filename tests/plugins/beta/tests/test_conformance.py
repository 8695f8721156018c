"""Beta's plugin, held to what every provider must do."""

from mirascope.core.testing import ProviderConformance, Wire


class TestBeta(ProviderConformance):
    """Beta's server speaks chat completions."""

    provider = "beta"
    model = "beta-1"
    wire = Wire.chat()
    expect = {"cost": "0.000045"}
    address_variable = "BETA_BASE_URL"
