"""`bareboat event s3`: an object of a bucket."""

from __future__ import annotations

from pathlib import Path

import click

from bareboat.cli.group import Command
from bareboat.cli.sample import Sample, sample_options


@click.command(cls=Command)
@click.option("--bucket", metavar="NAME", help="The bucket.  [default: the function's, else bucket]")
@click.option("--key", default="folder/file.csv", show_default=True, metavar="KEY", help="The object's key.")
@click.option(
    "--event", "kind", default="ObjectCreated:Put", show_default=True, metavar="NAME", help="What happened to it."
)
@click.option(
    "--content",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    metavar="FILE",
    help="A file that is the object, for its size and ETag.",
)
@sample_options
def s3(sample: Sample, bucket: str | None, key: str, kind: str, content: Path | None) -> None:
    """What S3 says of an object. Nothing is stored anywhere."""
    from bareboat.local.events import samples

    function = sample.function("s3")
    event = sample.document(
        lambda: samples.s3(
            key,
            sample.origin(),
            bucket=bucket or sample.source_name(function, "s3") or "bucket",
            event=kind,
            content=b"" if content is None else content.read_bytes(),
        )
    )
    sample.finish(event, function)
