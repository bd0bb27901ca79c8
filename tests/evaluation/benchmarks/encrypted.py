"""Zip archives with a password, in the old encryption that benchmarks are published in."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

_TABLE = [0] * 256
for _byte in range(256):
    _value = _byte
    for _ in range(8):
        _value = (_value >> 1) ^ (0xEDB88320 if _value & 1 else 0)
    _TABLE[_byte] = _value


class _Keys:
    """The three running keys of the scheme."""

    def __init__(self, password: bytes) -> None:
        self._a, self._b, self._c = 0x12345678, 0x23456789, 0x34567890
        for byte in password:
            self._take(byte)

    def encrypted(self, data: bytes) -> bytes:
        found = bytearray()
        for byte in data:
            mixed = (self._c | 2) & 0xFFFF
            found.append(byte ^ ((mixed * (mixed ^ 1)) >> 8) & 0xFF)
            self._take(byte)
        return bytes(found)

    def _take(self, byte: int) -> None:
        self._a = _crc(self._a, byte)
        self._b = ((self._b + (self._a & 0xFF)) * 134775813 + 1) & 0xFFFFFFFF
        self._c = _crc(self._c, self._b >> 24)


def _crc(value: int, byte: int) -> int:
    return (value >> 8) ^ _TABLE[(value ^ byte) & 0xFF]


def encrypted_zip(path: Path, files: Mapping[str, str], password: str) -> Path:
    """``files`` by name in an archive that ``password`` opens."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, _body(text.encode(), password))
    _mark(path, {name: text.encode() for name, text in files.items()})
    return path


def _body(data: bytes, password: str) -> bytes:
    head = bytes(11) + bytes([zlib.crc32(data) >> 24])
    return _Keys(password.encode()).encrypted(head + data)


def _mark(path: Path, files: Mapping[str, bytes]) -> None:
    """Say of every file that it is encrypted, how long it is, and its checksum, in both places."""
    raw = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        local = {info.filename: info.header_offset for info in archive.infolist()}
        central = archive.start_dir
    for name, data in files.items():
        at = raw.index(b"PK\x01\x02", central)
        _say(raw, local[name] + 6, local[name] + 14, data)
        _say(raw, at + 8, at + 16, data)
        central = at + 4
    path.write_bytes(raw)


def _say(raw: bytearray, flags: int, checksum: int, data: bytes) -> None:
    raw[flags] |= 1
    raw[checksum : checksum + 4] = zlib.crc32(data).to_bytes(4, "little")
    raw[checksum + 8 : checksum + 12] = len(data).to_bytes(4, "little")
