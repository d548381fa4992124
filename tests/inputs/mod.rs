//! Where logs come from: files, folders, lists, standard input, the default roots.

mod discovery;
mod files;
mod streams;
