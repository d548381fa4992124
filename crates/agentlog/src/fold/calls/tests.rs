//! Lives of calls, row by row.
