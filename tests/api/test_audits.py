from fastapi.testclient import TestClient


class TestListAuditEntries:
    def test_tells_who_did_what_page_by_page(self, admin: TestClient) -> None:
        body = {"name": "jan", "display_name": "Jan", "roles": ["curator"]}
        opened = admin.post("/v1/accounts", json=body).json()

        page = admin.get("/v1/audit", params={"limit": 2}).json()
        rest = admin.get("/v1/audit", params={"cursor": page["next"]}).json()

        assert [entry["action"] for entry in page["data"]] == ["account.opened", "token.made"]
        *_, entry = rest["data"]
        assert (entry["account_name"], entry["subject_id"]) == ("admin", opened["id"])
