//! The ways in which one and the same row has been written: key order by generation of the writer,
//! spacing, escapes, types. The meaning never changes, but for the keys that a generation has not.

/// Which writer's envelope, oldest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Generation {
    /// Two rows an event (`event: NAME`, then `data: {…}`), no `event` key, `pid` and `cwd` on top
    /// (Claude only).
    G0,
    /// `event,t,flow_id,sid,line,data_count,cwd,pid`: no metadata, no round (Claude only).
    G1,
    /// `event,t,line,metadata,flow_id,data_count,sid`: no round.
    G2,
    /// `event,t,line,metadata,flow_id,round,data_count,sid`.
    #[default]
    G3,
    /// G3 with `round` before `metadata`.
    G3Prime,
    /// G3 with `released`, the nanoseconds since the epoch at which the row was written.
    G4,
}

/// Which characters are written as `\uXXXX` although JSON does not ask for it.
/// Keys and event names never are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Escape {
    /// None.
    #[default]
    None,
    /// Non-ASCII ones, by the writer of the envelope.
    Outer,
    /// Non-ASCII ones, by the writer of the inner JSON too.
    Inner,
    /// As `Inner`, and every third ASCII letter of the inner texts.
    Letters,
}

/// How `metadata` is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MetadataForm {
    /// JSON text in a string.
    #[default]
    Text,
    /// An object.
    Object,
    /// A string that is not JSON: what it says is lost.
    Broken,
}

/// How `line` is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineForm {
    /// `data: {…}` in a string.
    #[default]
    Data,
    /// `data:{…}` in a string.
    DataNoSpace,
    /// The inner JSON itself.
    Object,
}

/// How the process id is given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PidForm {
    /// A number.
    #[default]
    Number,
    /// Digits in a string (always so in G0).
    Text,
}

/// One way to write a row; the default is what writers do today.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spelling {
    /// The envelope's generation.
    pub generation: Generation,
    /// A seed by which the envelope's keys are shuffled.
    pub shuffle: Option<u64>,
    /// `{"event": "x", "t": …}` instead of `{"event":"x","t":…}`, inner JSON and metadata too.
    pub spaced: bool,
    /// Escapes that JSON does not ask for.
    pub escape: Escape,
    /// The form of `metadata`.
    pub metadata: MetadataForm,
    /// The form of `line`.
    pub line: LineForm,
    /// The form of the process id.
    pub pid: PidForm,
}

impl Spelling {
    /// Today's spelling in the envelope of that generation.
    pub fn of(generation: Generation) -> Self {
        Self { generation, ..Self::default() }
    }
}
