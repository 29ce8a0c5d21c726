"""What the Lambda runtime's image offers to native libraries.

No inventory of the image is published. The list is what its glibc and GCC runtime packages hold, and what the runtime
client itself needs; anything else counts as absent. A probe on a real account will replace it.
"""

from __future__ import annotations

from bareboat.packaging.target import Target

GLIBC = frozenset(
    [
        "libc.so.6",
        "libm.so.6",
        "libmvec.so.1",
        "libdl.so.2",
        "libpthread.so.0",
        "librt.so.1",
        "libresolv.so.2",
        "libutil.so.1",
        "libanl.so.1",
        "ld-linux-x86-64.so.2",
        "ld-linux-aarch64.so.1",
    ]
)
GCC = frozenset({"libgcc_s.so.1", "libstdc++.so.6"})  # awslambdaric's own extension needs both
VERY_LIKELY = frozenset({"libz.so.1"})  # rpm and curl, which are on the image, need it
PROVIDED = GLIBC | GCC | VERY_LIKELY

TASK_ROOT = "/var/task"


def provided(target: Target) -> frozenset[str]:
    """Return the names of the libraries that the target's image has."""
    return PROVIDED if target.baseline is None else target.baseline.libraries


def newest_versions(target: Target) -> dict[str, tuple[int, ...]]:
    """Return the newest symbol versions that the image's C and C++ libraries have.

    Source:
        Amazon Linux 2: glibc 2.26, GCC 7.3 (GLIBCXX_3.4.24, CXXABI_1.3.11). Amazon Linux 2023: glibc 2.34, GCC 11.3
        (GLIBCXX_3.4.29, CXXABI_1.3.13). GCC's table "ABI Policy and Guidelines" maps GCC to its versions.
    """
    if target.baseline is not None:
        return dict(target.baseline.versions)
    if target.glibc >= (2, 34):
        return {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29), "CXXABI": (1, 3, 13)}
    return {"GLIBC": target.glibc, "GLIBCXX": (3, 4, 24), "CXXABI": (1, 3, 11)}
