"""Packs and the zip that is made of them."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path

import pytest

from bareboat.errors import PackagingError
from bareboat.packaging.archive import chosen_members, write_archive
from bareboat.packaging.packs import Contents, Member, Pack, PackReader, is_sound, make_packs, read_pack
from bareboat.packaging.sizes import UNZIPPED_BYTES, measure, refuse_over_limit, shed_bytecode


def packed(folder: Path, *contents: dict[str, bytes], version: str = "1") -> tuple[Pack, ...]:
    wanted = [Contents(f"p{number}", version, files) for number, files in enumerate(contents)]
    return make_packs(wanted, None, folder)


def archive(folder: Path, *contents: dict[str, bytes]) -> Path:
    members, _ = chosen_members(packed(folder, *contents))
    write_archive(folder / "out.zip", members)
    return folder / "out.zip"


def test_the_archive_is_a_zip_that_zipfile_reads_whole(tmp_path: Path) -> None:
    files = {"b/\u00e4.txt": b"x" * 5000, "a.bin": bytes(range(256)), "empty": b"", "b/c.py": b"print()\n"}

    with zipfile.ZipFile(archive(tmp_path, files)) as zipped:
        assert zipped.testzip() is None
        assert {info.filename: zipped.read(info) for info in zipped.infolist()} == files


def test_members_are_sorted_and_have_fixed_dates_and_rights(tmp_path: Path) -> None:
    files = {"z.txt": b"1", "a/run.sh": b"#!/bin/sh\n", "a.so": b"\x7fELF" + b"\0" * 12, "a/b": b"2"}
    del files["a.so"]

    with zipfile.ZipFile(archive(tmp_path, files)) as zipped:
        infos = zipped.infolist()

    assert [info.filename for info in infos] == ["a/b", "a/run.sh", "z.txt"]
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    modes = [info.external_attr >> 16 for info in infos]
    assert [stat.S_IMODE(mode) for mode in modes] == [0o644, 0o755, 0o644]
    assert all(stat.S_ISREG(mode) for mode in modes)
    assert {info.create_system for info in infos} == {3}


def test_the_rights_and_dates_of_the_sources_leave_no_trace(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(b"same")
    archives = []
    for number, mode in enumerate((0o600, 0o777)):
        source.chmod(mode)
        folder = tmp_path / str(number)
        folder.mkdir()
        (pack,) = make_packs([Contents("p", "1", {"f": source})], None, folder)
        write_archive(folder / "out.zip", chosen_members([pack])[0])
        archives.append((folder / "out.zip").read_bytes())

    assert archives[0] == archives[1]


def test_more_than_65535_files_make_a_zip64_archive(tmp_path: Path) -> None:
    (pack,) = packed(tmp_path, {"f": b"x"})
    member = pack.members[0]
    many = [
        (Member(f"d/{n:05}", *[getattr(member, f) for f in member.__struct_fields__[1:]]), pack) for n in range(70_000)
    ]

    write_archive(tmp_path / "out.zip", many)

    with zipfile.ZipFile(tmp_path / "out.zip") as zipped:
        assert len(zipped.infolist()) == 70_000
        assert zipped.read("d/69999") == b"x"


def test_of_two_files_with_one_path_the_first_packs_is_taken(tmp_path: Path) -> None:
    members, contested = chosen_members(packed(tmp_path, {"a.py": b"1", "b": b"1"}, {"a.py": b"2", "c": b"2"}))

    assert [(member.path, pack.name) for member, pack in members] == [("a.py", "p0"), ("b", "p0"), ("c", "p1")]
    assert contested == ("a.py",)


def test_bytecode_never_outlives_its_source(tmp_path: Path) -> None:
    mine = {"a.py": b"not python (", "d/b.py": b"x"}
    theirs = {"a.py": b"x", "__pycache__/a.cpython-313.pyc": b"stale", "d/__pycache__/b.cpython-313.pyc": b"stale"}

    members, _ = chosen_members(packed(tmp_path, mine, theirs))

    assert [member.path for member, _ in members] == ["a.py", "d/b.py"]


def test_a_pack_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    (pack,) = packed(tmp_path, {"a": b"x" * 1000, "b": b"random"})

    again = read_pack(Path(pack.file))

    assert again == pack
    assert again is not None
    assert is_sound(again)
    with PackReader() as reader:
        assert len(reader.read(again, again.members[0])) == again.members[0].zsize


def test_a_pack_that_is_cut_off_or_changed_is_not_taken(tmp_path: Path) -> None:
    (pack,) = packed(tmp_path, {"a": bytes(range(256)) * 20})
    path = Path(pack.file)
    whole = path.read_bytes()

    for cut in (0, 5, 20, len(whole) - 1):
        path.write_bytes(whole[:cut])
        assert read_pack(path) is None
    path.write_bytes(whole[:-3] + b"???")
    changed = read_pack(path)
    assert changed is not None
    assert not is_sound(changed)
    assert read_pack(tmp_path / "none.pack") is None


def test_a_pack_that_goes_away_before_the_archive_is_written_is_an_error(tmp_path: Path) -> None:
    packs = packed(tmp_path, {"a": b"x"})
    Path(packs[0].file).unlink()

    with pytest.raises(PackagingError, match="build again"):
        write_archive(tmp_path / "out.zip", chosen_members(packs)[0])


def test_a_damaged_native_file_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match=r"lib/x\.so is cut off or damaged"):
        packed(tmp_path, {"lib/x.so": b"\x7fELF\x02\x01\x01" + b"\0" * 9})


def heavy(name: str, size: int, bytecode: int) -> Pack:
    def member(path: str, size_bytes: int) -> Member:
        return Member(path, size_bytes, size_bytes // 3, True, False, "", 0, 0)

    return Pack(name, "1", (member(f"{name}/x.py", size), member(f"{name}/__pycache__/x.cpython-313.pyc", bytecode)))


def test_the_size_report_has_a_row_for_each_package_the_largest_first() -> None:
    packs = [heavy("small", 10, 5), heavy("large", 300, 60)]

    rows = measure(chosen_members(packs)[0], packs)

    assert [(row.name, row.files, row.unzipped_bytes, row.zipped_bytes, row.bytecode_bytes) for row in rows] == [
        ("large", 2, 360, 120, 60),
        ("small", 2, 15, 4, 5),
    ]


def test_an_archive_over_the_limit_is_refused_with_its_largest_packages() -> None:
    packs = [heavy("torch", 250_000_000, 0), heavy("numpy", 12_144_000, 0)]
    rows = measure(chosen_members(packs)[0], packs)

    refuse_over_limit(rows, more_bytes=0, where="serverless.yml")
    with pytest.raises(PackagingError) as caught:
        refuse_over_limit(rows, more_bytes=1, where="serverless.yml")
    assert "262,144,001 bytes; the largest: torch 250.0 MB, numpy 12.1 MB" in str(caught.value)
    assert "at most 262,144,000 bytes" in str(caught.value)


def test_bytecode_goes_where_it_would_break_the_limit_and_only_there() -> None:
    packs = [heavy("a", UNZIPPED_BYTES - 100, 60), heavy("b", 10, 50), heavy("c", 10, 5)]
    members, _ = chosen_members(packs)

    left, shed = shed_bytecode(members, reserve_bytes=5)

    assert shed == ("a",)
    assert len(left) == 5
    assert shed_bytecode(members, reserve_bytes=-60) == (members, ())
    assert shed_bytecode(members, reserve_bytes=10**6) == (members, ())


def test_many_small_files_and_a_large_one_are_packed_whole(tmp_path: Path) -> None:
    source = tmp_path / "large"
    source.write_bytes(bytes(range(256)) * 2000)
    files: dict[str, Path | bytes] = {f"d{n % 7}/f{n:04}": b"%d" % n for n in range(3000)}
    files |= {"large": source, "run.sh": b"#!/bin/sh\n"}

    (pack,) = make_packs([Contents("p", "1", files)], None, tmp_path)

    assert [member.path for member in pack.members] == sorted(files)
    assert is_sound(pack)
    with PackReader() as reader:
        for member in pack.members:
            held = files[member.path]
            assert reader.unpacked(pack, member) == (held if isinstance(held, bytes) else held.read_bytes())
