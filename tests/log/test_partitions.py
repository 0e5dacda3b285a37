from __future__ import annotations

import pytest

from pipeline.log.names import murmur2, partition_of


@pytest.mark.parametrize(
    ("data", "java"),
    [
        # The vectors of Kafka's own UtilsTest, as Java's signed ints.
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_is_kafkas(data: bytes, java: int) -> None:
    assert murmur2(data) == java % 2**32


def test_partitions_are_those_of_kafkas_default_partitioner() -> None:
    assert [partition_of(key, 10) for key in ("21", "foobar", "abc")] == [0, 6, 7]


def test_keys_spread_over_all_partitions() -> None:
    assert {partition_of(f"repo-{number}", 16) for number in range(400)} == set(range(16))
    assert {partition_of(f"repo-{number}", 1) for number in range(10)} == {0}
