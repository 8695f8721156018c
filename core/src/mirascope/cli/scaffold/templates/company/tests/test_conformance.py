"""The plugin, held to what every provider must do."""

from mirascope.core.testing import ProviderConformance, Wire


class TestNewName(ProviderConformance):
    """The server speaks chat completions; `Wire.chat(…)` takes what it says in its own way."""

    provider = "new_name"
    model = "new-name-1"
    wire = Wire.chat(model="new-name-1")
    expect = {"cost": "0.000045"}
    address_variable = "NEW_NAME_BASE_URL"
