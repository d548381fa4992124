//! Tells `alog-sql` where it finds libduckdb when it runs: beside the build tree, where `make sql`
//! puts it, and below the prefix, where `make install` does.

use std::path::PathBuf;

fn main() {
    println!("cargo:rerun-if-changed=bin/alog-sql/build.rs");
    println!("cargo:rerun-if-env-changed=DUCKDB_LIB_DIR");
    let has = |feature: &str| std::env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    if !has("SQL") || has("SQL_BUNDLED") {
        return;
    }
    let dir = PathBuf::from(std::env::var_os("DUCKDB_LIB_DIR").unwrap_or_default());
    if !["so", "dylib"].iter().any(|kind| dir.join("libduckdb").with_extension(kind).exists()) {
        println!("cargo:warning=libduckdb is not in {}: `make sql` gets it", dir.display());
    }
    let macos = std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "macos");
    let origin = if macos { "@loader_path" } else { "$ORIGIN" };
    for place in ["../duckdb", "../lib/alog"] {
        println!("cargo:rustc-link-arg-bin=alog-sql=-Wl,-rpath,{origin}/{place}");
    }
}
