//! `--export`: views as Parquet.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::ValueEnum;
use cli::{Output, Run, Verdict};
use warehouse::{Access, Codec, Need, View, Warehouse};

use crate::{Args, Asked, load};

/// How Parquet is compressed.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Compression {
    Snappy,
    Zstd,
}

/// The view of that name.
pub fn view(name: &str) -> Result<View, String> {
    let names = || View::ALL.map(View::name).join(", ");
    View::named(name).ok_or_else(|| format!("one of {}", names()))
}

/// Writes views as Parquet, and prints what was written.
pub fn run(args: &Args, dir: &Path) -> anyhow::Result<Verdict> {
    let mut args = args.clone();
    args.common.input.paths.splice(0..0, args.query.take().map(PathBuf::from));
    std::fs::create_dir_all(dir).with_context(|| format!("--export: {}", dir.display()))?;
    let dir = dir.canonicalize()?;
    let asked = Asked::without_question(&args);
    let spill = tempfile::tempdir().context("a temporary directory")?;
    let access = Access { allowed: vec![dir.clone()], ..asked.access(spill.path())? };
    let warehouse = Warehouse::in_memory(&access)?;
    let mut run = Run::new(&asked.common)?;
    let views = if args.views.is_empty() { View::ALL.to_vec() } else { args.views.clone() };
    let needs = views.iter().map(|view| (*view, Need::all_of(*view))).collect();
    load::load(&warehouse, &needs, &mut run)?;
    let codec = match args.compression {
        Compression::Snappy => Codec::Snappy,
        Compression::Zstd => Codec::Zstd,
    };
    let keys = ["view", "records", "path"];
    let mut output = Output::of_columns(&asked.common.output, keys.map(String::from).into(), &keys);
    for view in views {
        let records = warehouse.export(view, &dir, codec)?;
        let path = dir.join(view.name()).display().to_string();
        let row = serde_json::json!({"view": view.name(), "records": records, "path": path});
        output.record(|_, out| out.extend_from_slice(row.to_string().as_bytes()))?;
    }
    output.finish()?;
    run.report.counts.records = output.printed();
    Ok(run.finish())
}
