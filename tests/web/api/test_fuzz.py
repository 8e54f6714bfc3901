"""The API under random requests that its own description allows, and that it does not: never a 500, never another shape
than it says.
"""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from pumpswap.clock import ManualClock
from pumpswap.settings import LoadedSettings, Settings
from pumpswap.web.app import create_app
from tests.support.market import at
from tests.web.serving import HOST, NOW, lived

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance]


def test_no_request_is_too_much(tmp_path_factory: pytest.TempPathFactory) -> None:
    settings = Settings(data_dir=tmp_path_factory.mktemp("fuzz"), dashboard={"allowed_hosts": ["testserver"]})
    lived(settings)
    app = create_app(LoadedSettings(settings, {}, None, None), clock=ManualClock(at(NOW)))
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    word = {"X-CSRF-Token": app.state.parts.csrf, "Host": HOST}
    tried, statuses = 0, set()
    for found in schema.get_all_operations():
        operation = found.ok()

        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            if mode is GenerationMode.NEGATIVE and not (operation.query or operation.path_parameters or operation.body):
                continue  # there is nothing that could be wrong

            @hypothesis_settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck), database=None)
            @given(case=operation.as_strategy(generation_mode=mode))
            def ask(case: schemathesis.Case) -> None:
                answer = case.call(headers=word)
                statuses.add(answer.status_code)
                case.validate_response(answer, checks=CHECKS)

            ask()
        tried += 1
    assert tried == 19
    assert {200, 404, 422} <= statuses
