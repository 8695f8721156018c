"""Compatible servers, held to what every provider must do."""

from __future__ import annotations

import pytest
from mirascope.core.testing import ProviderConformance, Wire

# The kit looks at leftovers itself, and its prices are those of no host.
pytestmark = pytest.mark.filterwarnings("ignore::mirascope.core.UnknownPriceWarning")


class TestCompatible(ProviderConformance):
    provider = "compatible"
    model = "model-1"
    url_path = "/v1"
    wire = Wire.chat(reasoning_field="reasoning_content")
    address_variable = "OPENAI_BASE_URL"
