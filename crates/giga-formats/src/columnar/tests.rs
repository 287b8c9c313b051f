use std::io::Write as _;

use super::*;

struct Pair(i64, Option<&'static str>);

const FIELDS: &[Field<Pair, ()>] = &[
    Field::required("number", Cell::Number(|row| Some(row.0.into()))),
    Field::optional("word", Cell::Text(|(), row| row.1.map(ByteArray::from))),
];
const WANTED: &[Wanted] = &[
    Wanted { name: "number", kind: Kind::Number, required: true },
    Wanted { name: "word", kind: Kind::Text, required: false },
    Wanted { name: "other", kind: Kind::Text, required: false },
];

fn written(rows: i64) -> Vec<u8> {
    let mut writer = ColumnarWriter::new(Vec::new(), ("pairs", 1), FIELDS, ()).unwrap();
    for row in 0..rows {
        writer.write(Pair(row, (row % 3 == 0).then_some("three"))).unwrap();
    }
    writer.finish().unwrap()
}

fn open(bytes: &[u8]) -> Result<ColumnarReader, ColumnarError> {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    ColumnarReader::open(file, WANTED)
}

type Row = (Option<i64>, Option<String>);

fn read(bytes: &[u8]) -> Result<Vec<Row>, ColumnarError> {
    let mut reader = open(bytes)?;
    let mut rows = Vec::new();
    while let Some((count, columns)) = reader.next()? {
        assert!(matches!(columns[2], Values::Absent));
        rows.extend((0..count).map(|row| (columns[0].number(row), columns[1].text(row).map(str::to_owned))));
    }
    Ok(rows)
}

#[test]
fn what_is_written_reads_back() {
    for count in [0, 1, 20_000] {
        let rows = read(&written(count)).unwrap();
        assert_eq!(rows.len() as i64, count);
        for (number, row) in rows.iter().enumerate() {
            let word = (number % 3 == 0).then(|| "three".to_owned());
            assert_eq!(row, &(Some(number as i64), word));
        }
    }
    assert_eq!(open(&written(0)).unwrap().stamp("giga.table"), Some("pairs"));
}

#[test]
fn damage_is_an_error_and_never_a_panic() {
    let sound = written(2_000);
    for length in (0..sound.len()).step_by(7) {
        assert!(read(&sound[..length]).is_err(), "cut to {length} bytes");
    }
    for place in 0..sound.len() {
        let mut bytes = sound.clone();
        bytes[place] ^= 0x55;
        let _ = read(&bytes);
    }
}

#[test]
fn a_value_that_does_not_fit_is_named() {
    const WIDE: &[Field<(), ()>] = &[Field::required("wide_ms", Cell::Number(|()| Some(i128::MAX)))];
    let mut writer = ColumnarWriter::new(Vec::new(), ("wide", 1), WIDE, ()).unwrap();
    writer.write(()).unwrap();
    let error = writer.finish().unwrap_err();
    assert_eq!(error.to_string(), "a value of column `wide_ms` does not fit into 64 bits");
}
