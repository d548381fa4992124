//! Records of alog in DuckDB: the views that a query names are filled with what it needs of them,
//! and its answer is handed out row by row as JSON.
//!
//! [`Warehouse`] is the principal type. It knows tables and queries, not logs: records come to it
//! as [`Columns`], from whoever reads the logs.
//!
//! ```
//! use warehouse::{Access, Query, Warehouse, WarehouseError};
//!
//! let access = Access::default();
//! let query = Query::understood("SELECT count(*) AS n FROM turns", &[], &access)?;
//! let warehouse = Warehouse::in_memory(&access)?;
//! for (view, need) in &query.needs {
//!     warehouse.create(*view, &need.columns)?;
//!     // … and then records: `warehouse.append(*view, &mut columns)`
//! }
//! let mut rows = Vec::new();
//! warehouse.answer(&query)?.each_row(|row| {
//!     rows.push(String::from_utf8_lossy(row).into_owned());
//!     Ok::<(), WarehouseError>(())
//! })?;
//! assert_eq!(rows, [r#"{"n":0}"#]);
//! # Ok::<(), WarehouseError>(())
//! ```

mod answer;
mod bytes;
mod columns;
mod error;
mod export;
mod file;
mod kept;
mod named;
mod plan;
mod planner;
mod row;
mod statements;
mod store;
mod surrogates;
mod view;

pub use columns::Columns;
pub use error::WarehouseError;
pub use export::Codec;
pub use kept::Kept;
pub use named::{NamedQuery, named_queries};
pub use plan::{Need, Needs, Only};
pub use planner::Query;
pub use row::Row;
pub use store::{Access, Answer, Warehouse};
pub use view::View;
