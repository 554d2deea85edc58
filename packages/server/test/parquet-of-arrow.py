"""Writes and reads Parquet files for tests: one JSON object a line is asked for, one is answered."""

import datetime
import decimal
import json
import random
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq


# More digits than any decimal has.
decimal.getcontext().prec = 76


def type_of(shape):
    kind = shape["kind"]
    if kind == "list":
        return pa.list_(field_of("element", shape["of"]))
    if kind == "struct":
        return pa.struct([field_of(f"f{at}", one) for at, one in enumerate(shape["of"])])
    if kind == "map":
        return pa.map_(pa.string(), field_of("value", shape["of"]))
    if kind == "decimal":
        return pa.decimal128(shape["precision"], shape["scale"])
    if kind == "fixed":
        return pa.binary(shape["width"])
    if kind == "timestamp":
        return pa.timestamp(shape["unit"], tz=shape["zone"])
    if kind == "dictionary":
        return pa.dictionary(pa.int32(), pa.string())
    return getattr(pa, kind)()


def field_of(name, shape):
    return pa.field(name, type_of(shape), nullable=shape["nullable"])


def value_of(shape, draw):
    if shape["nullable"] and draw.random() < 0.25:
        return None
    kind = shape["kind"]
    # Values that come again make dictionaries and runs.
    few = draw.random() < 0.5
    if kind == "list":
        return [value_of(shape["of"], draw) for _ in range(draw.choice([0, 0, 1, 2, 5]))]
    if kind == "struct":
        return {f"f{at}": value_of(one, draw) for at, one in enumerate(shape["of"])}
    if kind == "map":
        return [(f"key-{at}", value_of(shape["of"], draw)) for at in range(draw.choice([0, 1, 3]))]
    if kind == "bool_":
        return few
    if kind.startswith(("int", "uint")):
        bits = int(kind.lstrip("uint"))
        low, high = (0, 2**bits - 1) if kind[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
        return draw.choice([0, 1, low, high]) if few else draw.randint(low, high)
    if kind in ("float32", "float64"):
        return draw.choice([0.0, -0.0, 1.5, float("inf")]) if few else draw.randint(-(10**6), 10**6) / 4
    if kind in ("string", "large_string", "dictionary"):
        return draw.choice(["", "a", "ä", "same"]) if few else f"text-{draw.randrange(10**9)}"
    if kind in ("binary", "large_binary"):
        return b"\x00\xff" if few else draw.randbytes(draw.randrange(9))
    if kind == "fixed":
        return bytes(shape["width"]) if few else draw.randbytes(shape["width"])
    if kind == "decimal":
        most = 10 ** shape["precision"] - 1
        return decimal.Decimal(draw.choice([0, 1, -most]) if few else draw.randint(-most, most)).scaleb(-shape["scale"])
    if kind == "date32":
        return datetime.date(2026, 1, 1) + datetime.timedelta(days=draw.randrange(3 if few else 9999))
    if kind in ("time32", "time64"):
        return datetime.time(draw.randrange(24), draw.randrange(60))
    if kind == "timestamp":
        moment = datetime.datetime(2026, 1, 1) + datetime.timedelta(seconds=draw.randrange(3 if few else 10**8))
        return moment.replace(tzinfo=datetime.timezone.utc) if shape["zone"] else moment
    raise ValueError(kind)


def write(task):
    draw = random.Random(task["seed"])
    shapes = task["columns"]
    rows = range(task["rows"])
    who = pa.array([f"person{draw.randrange(task['people'])}@mail.example" if draw.random() < 0.9 else None for _ in rows])
    names = [f"c{at}" for at in range(len(shapes))]
    columns = [pa.array([value_of(shape, draw) for _ in rows], type=type_of(shape)) for shape in shapes]
    schema = pa.schema(
        [pa.field("who", pa.string()), *(field_of(name, shape) for name, shape in zip(names, shapes))],
        metadata={"made by": "a test"},
    )
    pq.write_table(pa.table([who, *columns], schema=schema), task["path"], **task["options"])
    # It writes some files, with a page without entries before all others, that it cannot read itself.
    try:
        return {"isReadable": pq.read_table(task["path"]).num_rows == len(rows)}
    except pa.ArrowInvalid:
        return {"isReadable": False}


def compare(task):
    """What is wrong with the new file, which has to be the old one without rows; nothing: an empty list."""
    old = pq.read_table(task["old"])
    gone = pc.fill_null(pc.is_in(old["who"], value_set=pa.array(task["gone"], pa.string())), False)
    want = old.filter(pc.invert(gone))
    file = pq.ParquetFile(task["new"], page_checksum_verification=True)
    got = file.read()
    got.validate(full=True)
    wrong = []
    if not got.schema.equals(want.schema, check_metadata=True):
        wrong.append("schema")
    if got.num_rows != want.num_rows:
        wrong.append(f"{got.num_rows} rows and not {want.num_rows}")
    # Arrays of Arrow's dictionaries are equal only with the same dictionaries.
    same = lambda name: got[name].equals(want[name]) or repr(got[name].to_pylist()) == repr(want[name].to_pylist())
    wrong += [f"rows of {name}" for name in want.column_names if not same(name)]
    for number in range(file.metadata.num_row_groups):
        group = file.metadata.row_group(number)
        rows = file.read_row_group(number)
        for at in range(group.num_columns):
            column = group.column(at)
            told = column.statistics
            if told is None or not told.has_min_max:
                continue
            if task["gone"] and {told.min, told.max} & set(task["gone"]):
                wrong.append(f"statistics of {column.path_in_schema} name somebody")
            if column.path_in_schema == "who":
                least, greatest = (pc.min_max(rows["who"])[end].as_py() for end in ("min", "max"))
                if (told.min, told.max) != (least, greatest):
                    wrong.append(f"statistics of who are {told.min} to {told.max} and not {least} to {greatest}")
    return {"wrong": wrong, "rows": got.num_rows}


for line in sys.stdin:
    asked = json.loads(line)
    try:
        answer = {"write": write, "compare": compare}[asked["do"]](asked)
    except Exception as error:  # noqa: BLE001
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
