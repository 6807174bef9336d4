"""Facts hold in the blocks that the block they come from dominates."""

from __future__ import annotations

from septet.base.scopes import Scopes


def test_facts_go_with_their_block() -> None:
    scopes = Scopes()
    table: dict[str, int] = {}

    def learn(key: str) -> None:
        table[key] = 1
        scopes.learned.append((table, key))

    scopes.enter("", "")
    learn("entry")
    scopes.close()
    learn("behind the jump")
    scopes.enter("then", "")
    assert list(table) == ["entry"]
    learn("then")
    scopes.enter("inner", "then")
    learn("inner")
    assert list(table) == ["entry", "then", "inner"]
    scopes.enter("join", "")
    assert list(table) == ["entry"]
    scopes.enter("late", "then")  # whose facts are gone
    assert not table
