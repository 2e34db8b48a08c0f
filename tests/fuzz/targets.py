"""What the fuzzer feeds: one file of a small log of each source, or one of a data set or study.

The other files are kept sound. Bad bytes may end in an `InputError` or in quarantine, in nothing
else.
"""

import contextlib
import shutil
import tempfile
from pathlib import Path

from experiments.common.errors import InputError
from experiments.config.data import IngestConfig, PartsConfig
from experiments.data.format.folder import load_click_log
from experiments.data.ingestion import ingest_log
from experiments.data.intake.coercion import ARROW_TYPES, coerce
from experiments.data.readers.any_file import read_table
from tests.fuzz.state_targets import TARGETS, feed_state

VECTORS = b'object_id,part_id,vector,is_average,user_id\na,0,"[1,0]",f,\nb,0,"[0.6,0.8]",f,\n'
SAMPLES: dict[str, dict[str, bytes]] = {
    "embedding_studio": {
        "sessions.jsonl": b'{"session_id":"s","search_query":"q","created_at":{"$numberLong":"17"},'
        b'"search_results":[{"object_id":"a","rank":0},{"object_id":"b","rank":1}],"user_id":"u"}\n',
        "events.jsonl": b'{"event_id":"e","session_id":"s","object_id":"b","created_at":19}\n',
        "objects.csv": VECTORS,
        "queries.csv": b'object_id,vector\nq,"[1,1]"\n',
    },
    "ubi": {
        "ubi_queries.jsonl": b'{"query_id":"s","client_id":"u","user_query":"q",'
        b'"timestamp":"2024-05-01T10:00:00Z","query_response_hit_ids":["a","b"]}\n',
        "ubi_events.jsonl": b'{"action_name":"click","query_id":"s","timestamp":1714557700500,'
        b'"event_attributes":{"object":{"object_id":"b"}}}\n',
        "objects.csv": b"object_id,title,text\na,x,y\nb,z,\n",
    },
    "coveo": {
        "search_train.csv": b"session_id_hash,query_vector,clicked_skus_hash,product_skus_hash,"
        b"server_timestamp_epoch_ms\nv,\"[1.0, 0.5]\",\"['b']\",\"['a', 'b']\",1550885210881\n",
        "sku_to_content.csv": b'product_sku_hash,description_vector\na,"[1, 2]"\nb,"[2, 1]"\n',
    },
    "mind": {
        "behaviors.tsv": b"1\tU\t11/11/2019 9:05:58 AM\tN1 N2\tN1-1 N2-0\n",
        "news.tsv": b"N1\tc\ts\tOne\tText\tu\t[]\t[]\nN2\tc\ts\tTwo\t\tu\t[]\t[]\n",
    },
    "metarank": {
        "events.jsonl": b'{"event":"item","item":"a","fields":[{"name":"title","value":"hat"}]}\n'
        b'{"event":"ranking","id":"s","timestamp":"1599391470000","user":"u",'
        b'"fields":[{"name":"query","value":"q"}],"items":[{"id":"a"}]}\n'
        b'{"event":"interaction","id":"i","ranking":"s","timestamp":"1599391475000",'
        b'"type":"click","item":"a"}\n',
    },
    "table": {
        "log.csv": b"visit,who,words,time,place,sku,clicked\nv,u,q,1714557600,1,a,0\n"
        b"v,u,q,1714557600,2,b,1\n",
        "products.jsonl": b'{"sku":"a","name":"hat"}\n{"sku":"b","name":"coat"}\n',
        "mapping.yaml": b"sessions: {file: log.csv, distinct: true, columns: {session_id: visit, "
        b"user_id: who, query_text: words, created_at: time}}\n"
        b"impressions: {file: log.csv, first_position: 1, columns: {session_id: visit, "
        b"position: place, object_id: sku}}\n"
        b"events: {file: log.csv, where: {clicked: 1}, columns: {session_id: visit, "
        b"object_id: sku, created_at: time}}\n"
        b"items: {file: products.jsonl, columns: {object_id: sku, title: name}}\n",
    },
    "movielens": {
        "ratings.csv": b"userId,movieId,rating,timestamp\n"
        + b"".join(b"1,%d,%d.0,%d\n" % (n, n % 5 + 1, n) for n in range(1, 7)),
        "movies.csv": b"movieId,title,genres\n"
        + b"".join(b"%d,Film %d (1999),War|Drama\n" % (n, n) for n in range(1, 7)),
        "tags.csv": b"userId,movieId,tag,timestamp\n"
        + b"".join(b"1,%d,dark,3\n" % n for n in range(1, 7)),
    },
}
READERS = (("log.jsonl", b'{"a": [1, "x"]}\n'), ("log.csv", b"a,b\n1,x\n"))
FILES = [(source, name) for source, files in SAMPLES.items() for name in files]
N_TARGETS = len(FILES) + len(READERS) + len(TARGETS)


class Deaf:
    """Takes complaints and forgets them."""

    def reject(self, table: str, file: str, row: int, what: str, content: str) -> None:
        """One row is no row."""

    def reject_file(self, file: str, what: str) -> None:
        """A file cannot be read to its end."""


def one_input(data: bytes) -> None:
    """Feed bytes to a reader, as one file of a source to its whole import, or to another target.

    Args:
        data: The first byte chooses the file, the rest is its content.
    """
    if not data:
        return
    choice, content = data[0] % N_TARGETS, data[1:]
    with tempfile.TemporaryDirectory(prefix="fuzz-") as name:
        folder = Path(name)
        if choice < len(FILES):
            feed_source(folder, *FILES[choice], content)
        elif choice < len(FILES) + len(READERS):
            feed_reader(folder / READERS[choice - len(FILES)][0], content)
        else:
            feed_state(TARGETS[choice - len(FILES) - len(READERS)], folder, content)


def feed_reader(path: Path, content: bytes) -> None:
    """Read bytes as a file, and take every column as every kind."""
    path.write_bytes(content)
    for block in read_table(path, "events", Deaf()):
        for values in block.columns.values():
            for kind in ARROW_TYPES:
                coerce(values, kind)


def feed_source(folder: Path, source: str, name: str, content: bytes) -> None:
    """Import a small log with one file replaced."""
    log = folder / "log"
    log.mkdir()
    for file, sample in SAMPLES[source].items():
        (log / file).write_bytes(content if file == name else sample)
    config = IngestConfig(
        source=source,
        path=str(log),
        output=str(folder / "out"),
        mapping=str(log / "mapping.yaml") if source == "table" else None,
        parts=PartsConfig(max_tokens=4),
        on_error="quarantine",
    )
    with contextlib.suppress(InputError):
        ingest_log(config)
    if (folder / "out").exists():
        load_click_log(folder / "out")  # What an import lets through must be sound.


def write_corpus(folder: Path) -> None:
    """Write every sample as an input, for the fuzzer to start from."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    samples = [(f"{source}-{name}", SAMPLES[source][name]) for source, name in FILES]
    samples += [(f"reader-{name}", sample) for name, sample in READERS]
    samples += [(target.name, target.sample) for target in TARGETS]
    for number, (name, sample) in enumerate(samples):
        (folder / name).write_bytes(bytes([number]) + sample)
