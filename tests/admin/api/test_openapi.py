"""The OpenAPI document: every JSON route is in it, with types for what it takes and answers."""

from tests.admin.conftest import Console


async def test_every_json_route_is_described_with_types(console: Console) -> None:
    answer = await console.client.get("/admin/openapi.json")
    assert answer.status_code == 200
    document = await answer.get_json()
    described = {(path, method) for path, methods in document["paths"].items() for method in methods}
    for rule in console.app.url_map.iter_rules():
        if "/api/" not in rule.rule:
            continue
        path = rule.rule.replace("<uuid:", "{").replace("<path:", "{").replace("<", "{").replace(">", "}")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            assert (path, method.lower()) in described
            operation = document["paths"][path][method.lower()]
            good = next(answer for status, answer in operation["responses"].items() if status.startswith("2"))
            assert good["content"]["application/json"]["schema"]
            assert operation["tags"]
