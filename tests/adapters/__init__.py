import pytest

pytest.register_assert_rewrite("tests.adapters.store_contract")
