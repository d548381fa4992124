//! Views as Parquet, partitioned as engines that run on many machines expect it:
//! `DIR/<view>/provider=…/date=…/*.parquet`.

use std::fs;
use std::io;
use std::path::Path;

use crate::error::{WarehouseError, of_store};
use crate::store::{Warehouse, literal};
use crate::view::{Type, View, quoted, type_of};

/// How Parquet files are compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Codec {
    /// Fast, and read by everything.
    Snappy,
    /// Smaller.
    Zstd,
}

/// The name that Hive, Spark and others give to the partition of rows without a value.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

impl Warehouse {
    /// Writes a view below a directory that the query may write to, whole or not at all. Returns how
    /// many records there are. Columns of JSON become texts, since few engines know the type.
    pub fn export(&self, view: View, dir: &Path, codec: Codec) -> Result<u64, WarehouseError> {
        let to = dir.join(view.name());
        if to.exists() {
            let text = format!("{}: is there already", to.display());
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, text).into());
        }
        let unfinished = dir.join(format!(".{}.unfinished", view.name()));
        remove(&unfinished)?;
        let written = self.copy(view, &unfinished, codec);
        if written.is_err() {
            remove(&unfinished)?;
        }
        let records = written?;
        if records == 0 {
            // Of nothing there are no partitions; the directory says that it was looked for.
            fs::create_dir_all(&unfinished)?;
        }
        fs::rename(&unfinished, &to)?;
        Ok(records)
    }

    fn copy(&self, view: View, to: &Path, codec: Codec) -> Result<u64, WarehouseError> {
        let codec = match codec {
            Codec::Snappy => "snappy",
            Codec::Zstd => "zstd",
        };
        let as_text = |name: &str| format!("CAST({0} AS VARCHAR) AS {0}", quoted(name));
        let json = view.columns().filter(|field| type_of(field) == Type::Json);
        let replaced = json
            .map(|field| as_text(field.name))
            .chain([format!("coalesce(provider, {}) AS provider", literal(NO_VALUE))])
            .collect::<Vec<_>>()
            .join(", ");
        let date = format!("coalesce(strftime(t, '%Y-%m-%d'), {}) AS date", literal(NO_VALUE));
        let sql = format!(
            "COPY (SELECT * REPLACE ({replaced}), {date} FROM {}) TO {} \
             (FORMAT parquet, PARTITION_BY (provider, date), COMPRESSION {codec})",
            quoted(view.name()),
            literal(&to.to_string_lossy()),
        );
        let records = self.connection.execute(&sql, []).map_err(|e| of_store(&e))?;
        Ok(records as u64)
    }
}

fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => Err(e),
        _ => Ok(()),
    }
}
