use super::*;
use crate::event::Item;
use crate::fold::given::{Given as Row, put};

/// A delta row of a Codex item.
fn delta(t: i64, id: &str, seq: i64, text: &str) -> Row {
    part_delta(t, id, 0, seq, text)
}

fn part_delta(t: i64, id: &str, part: i64, seq: i64, text: &str) -> Row {
    Row::codex(t, |arena| What::Delta(piece(arena, id, part, Some(seq), text)))
}

fn done(t: i64, id: &str, part: i64, text: &str) -> Row {
    Row::codex(t, |arena| What::Done(piece(arena, id, part, None, text)))
}

fn piece(arena: &mut Vec<u8>, id: &str, part: i64, seq: Option<i64>, text: &str) -> Piece {
    let (stream, text) = (Stream::Item(put(id, arena)), put(text, arena));
    Piece { stream, kind: StreamKind::Text, part, seq, text }
}

fn item(t: i64, phase: ItemPhase, kind: ItemKind, id: &str, text: Option<&str>) -> Row {
    Row::codex(t, |arena| {
        let is_call = kind == ItemKind::FunctionCall;
        What::Item(Item {
            phase,
            kind,
            item_id: Some(put(id, arena)),
            call_id: is_call.then(|| put("call_1", arena)),
            name: is_call.then(|| put("shell", arena)),
            text: text.map(|text| put(text, arena)),
            output: None,
        })
    })
}

fn twin(t: i64, turn: &str, id: Option<&str>, kind: StreamKind, text: &str) -> Row {
    let row = Row::codex(t, |arena| {
        let stream = Stream::Twin { item: id.map(|id| put(id, arena)) };
        What::Delta(Piece { stream, kind, part: 0, seq: None, text: put(text, arena) })
    });
    row.in_turn(turn)
}

fn block(t: i64, request: Option<&str>, what: fn(Option<Span>) -> Block) -> Row {
    Row::claude(t, |arena| What::Block(what(request.map(|id| put(id, arena)))))
}

fn start(request: Option<Span>) -> Block {
    Block::Start { request, index: 0, kind: BlockKind::Words(StreamKind::Text) }
}

fn tool(request: Option<Span>) -> Block {
    Block::Start { request, index: 0, kind: BlockKind::Tool { call_id: None, name: None } }
}

fn stop(request: Option<Span>) -> Block {
    Block::Stop { request, index: 0 }
}

fn words(t: i64, request: Option<&str>, text: &str) -> Row {
    Row::claude(t, |arena| {
        let stream = Stream::Block { request: request.map(|id| put(id, arena)), index: 0 };
        let kind = StreamKind::Text;
        What::Delta(Piece { stream, kind, part: 0, seq: None, text: put(text, arena) })
    })
}

fn feed(fold: &mut Deltas, rows: &[Row]) -> Vec<Delta> {
    let mut out = Vec::new();
    for row in rows {
        fold.feed(&row.event(), &mut out);
    }
    out
}

fn all(rows: &[Row]) -> Vec<Delta> {
    with(Options::default(), rows)
}

fn with(options: Options, rows: &[Row]) -> Vec<Delta> {
    let mut fold = Deltas::new(options);
    let mut out = feed(&mut fold, rows);
    fold.finish(&mut out);
    out
}

fn told(items: &[Delta]) -> Vec<(Option<String>, &'static str, u64)> {
    let text = |item: &Delta| item.text.as_ref().map(|text| text.to_str_lossy().into_owned());
    items.iter().map(|item| (text(item), item.status.name(), item.deltas)).collect()
}

fn said(text: &str, status: &'static str, deltas: u64) -> Vec<(Option<String>, &'static str, u64)> {
    vec![(Some(text.to_owned()), status, deltas)]
}

#[test]
fn sequence_numbers_decide_and_count_once() {
    let rows = [
        delta(1, "a", 5, "c"),
        delta(1, "a", 3, "a"),
        delta(2, "a", 4, "b"),
        delta(3, "a", 4, "x"),
    ];
    assert_eq!(told(&all(&rows)), said("abc", "open", 3));
    let whole = [&rows[..], &[done(4, "a", 0, "abc")]].concat();
    assert_eq!(told(&all(&whole)), said("abc", "complete", 3));
    let other = [&rows[..], &[done(4, "a", 0, "abx")]].concat();
    assert_eq!(told(&all(&other)), said("abc", "mismatch", 3));
}

#[test]
fn parts_are_compared_each_with_its_own_done_row() {
    let rows = |last: &str| {
        [
            part_delta(1, "a", 1, 9, "second"),
            part_delta(1, "a", 0, 2, "first"),
            done(2, "a", 0, "first"),
            done(2, "a", 1, last),
        ]
    };
    assert_eq!(told(&all(&rows("second"))), said("first\n\nsecond", "complete", 2));
    assert_eq!(told(&all(&rows("third"))), said("first\n\nsecond", "mismatch", 2));
    assert_eq!(told(&all(&rows("second")[..3])), said("first\n\nsecond", "open", 2));
}

#[test]
fn an_item_without_deltas_has_the_text_of_its_done_row() {
    let added = item(1, ItemPhase::Added, ItemKind::FunctionCall, "fc", None);
    let silent = all(std::slice::from_ref(&added));
    assert_eq!(told(&silent), [(None, "open", 0)]);
    assert_eq!((silent[0].t, silent[0].t_last), (Some(1), None));
    let ended = item(5, ItemPhase::Done, ItemKind::FunctionCall, "fc", Some("{}"));
    let items = all(&[added, ended]);
    assert_eq!(told(&items), said("{}", "complete", 0));
    assert_eq!(items[0].call_id.as_deref(), Some("call_1"));
}

#[test]
fn arguments_that_are_no_object() {
    let rows = |text: &str| {
        [
            item(1, ItemPhase::Added, ItemKind::FunctionCall, "fc", None),
            item(2, ItemPhase::Done, ItemKind::FunctionCall, "fc", Some(text)),
        ]
    };
    for (text, status) in [("{}", "complete"), ("[1]", "invalid_json"), ("{", "invalid_json")] {
        assert_eq!(told(&all(&rows(text))), said(text, status, 0));
    }
}

#[test]
fn an_item_is_given_out_when_it_is_whole() {
    let mut fold = Deltas::new(Options::default());
    let added = item(1, ItemPhase::Added, ItemKind::Message, "m", None);
    assert!(feed(&mut fold, &[added, delta(2, "m", 1, "so"), done(3, "m", 0, "so")]).is_empty());
    let ended = item(4, ItemPhase::Done, ItemKind::Message, "m", Some("so"));
    assert_eq!(told(&feed(&mut fold, &[ended])), said("so", "complete", 1));
    // What comes late starts no second item.
    let late = [delta(5, "m", 1, "so"), done(5, "m", 0, "so")];
    assert!(feed(&mut fold, &late).is_empty() && !fold.waits());
    let mut out = Vec::new();
    fold.finish(&mut out);
    assert!(out.is_empty());
}

#[test]
fn an_item_that_differs_waits_two_seconds() {
    let mut fold = Deltas::new(Options::default());
    assert!(feed(&mut fold, &[delta(0, "m", 1, "so"), done(10, "m", 0, "so it")]).is_empty());
    assert!(fold.waits());
    let mut late = fold.items.len();
    assert_eq!(late, 1);
    assert!(feed(&mut fold, &[delta(2009, "m", 2, "x")]).is_empty());
    let out = feed(&mut fold, &[delta(2011, "other", 1, "")]);
    assert_eq!(told(&out), said("sox", "mismatch", 2));
    late = fold.items.len();
    assert_eq!(late, 1, "the other one");
}

#[test]
fn more_parts_may_follow_after_a_pause() {
    let rows = [
        item(0, ItemPhase::Added, ItemKind::Reasoning, "r", None),
        delta(1, "r", 1, "first"),
        done(2, "r", 0, "first"),
        part_delta(9000, "r", 1, 2, "second"),
        done(9001, "r", 1, "second"),
        item(9002, ItemPhase::Done, ItemKind::Reasoning, "r", Some("first\n\nsecond")),
    ];
    assert_eq!(told(&all(&rows)), said("first\n\nsecond", "complete", 2));
    // If the item's own end is lost, the next item's start stands for it.
    let mut fold = Deltas::new(Options::default());
    let next = item(3, ItemPhase::Added, ItemKind::Message, "m", None);
    assert!(feed(&mut fold, &[&rows[..3], &[next]].concat()).is_empty());
    assert_eq!(told(&feed(&mut fold, &[delta(3000, "m", 3, "")])), said("first", "complete", 1));
}

#[test]
fn twins_count_only_without_the_stream_itself() {
    use StreamKind::{Reasoning, Text};
    let named = |t, text| twin(t, "7", Some("a"), Text, text);
    let bare = |t, kind, text| twin(t, "7", None, kind, text);
    // Alone.
    assert_eq!(told(&all(&[named(1, "a"), named(2, "b")])), said("ab", "open", 2));
    // Beside those that name no item.
    let both = [bare(1, Text, "a"), named(1, "a"), bare(2, Text, "b"), named(2, "b")];
    assert_eq!(told(&all(&both)), said("ab", "open", 2));
    // Runs of one kind are items.
    let runs =
        [bare(1, Reasoning, "x"), bare(2, Text, "a"), bare(3, Text, "b"), bare(4, Reasoning, "y")];
    let texts: Vec<_> = told(&all(&runs)).into_iter().filter_map(|item| item.0).collect();
    assert_eq!(texts, ["x", "ab", "y"]);
    // Beside the stream itself, which may come first or last; and with its own id.
    for (at, id) in [(0, "a"), (2, "a"), (4, "a"), (0, "b"), (4, "b")] {
        let mut rows = both.to_vec();
        rows.insert(at, delta(1, id, 1, "the stream").in_turn("7"));
        assert_eq!(told(&all(&rows)), said("the stream", "open", 1), "{at} {id}");
    }
    // Another turn, and the same turn of another process, need theirs.
    let other = delta(9, "b", 1, "the stream").in_turn("8");
    let process = delta(9, "c", 1, "the stream").in_turn("7").with(|head| head.pid = Some(2));
    let items = all(&[&both[..], &[other, process]].concat());
    assert_eq!(items.len(), 3);
    // Asked for, they are the stream.
    let options = Options { twins: true, ..Options::default() };
    let rows = [&both[..], &[delta(1, "a", 1, "the stream").in_turn("7")]].concat();
    assert_eq!(told(&with(options, &rows)), said("ab", "open", 2));
}

#[test]
fn twins_are_given_out_when_their_turn_is_over() {
    let mut fold = Deltas::new(Options::default());
    let named = twin(1, "7", Some("a"), StreamKind::Text, "so");
    assert!(feed(&mut fold, &[named, done(2, "a", 0, "so").in_turn("7")]).is_empty());
    let next = |t| delta(t, "b", 1, "").in_turn("8");
    assert!(feed(&mut fold, &[next(9000)]).is_empty());
    assert_eq!(told(&feed(&mut fold, &[next(11_001)])), said("so", "complete", 1));
}

#[test]
fn a_claude_block_is_in_order_of_its_file() {
    // The clock went back: what stands later in the file has an earlier time.
    let at = |row: Row, offset: u64| {
        let mut row = row;
        row.src.offset = offset;
        row
    };
    let rows = [
        at(block(10, Some("r"), start), 1),
        at(words(50, Some("r"), "c"), 4),
        at(block(51, Some("r"), stop), 5),
        at(words(100, Some("r"), "a"), 2),
        at(words(101, Some("r"), "b"), 3),
    ];
    assert_eq!(told(&all(&rows)), said("abc", "complete", 3));
}

#[test]
fn what_is_wrong_with_a_claude_block() {
    let whole = [block(1, Some("r"), start), words(2, Some("r"), "so"), block(3, Some("r"), stop)];
    assert_eq!(told(&all(&whole)), said("so", "complete", 1));
    assert_eq!(told(&all(&whole[1..])), said("so", "orphan", 1));
    assert_eq!(told(&all(&whole[..2])), said("so", "open", 1));
    let doubled = [&whole[..1], &whole[..]].concat();
    assert_eq!(told(&all(&doubled)), said("so", "complete", 1));
    let silent = [block(1, Some("r"), tool), block(3, Some("r"), stop)];
    assert_eq!(told(&all(&silent)), [(None, "complete", 0)]);
    let empty = [block(1, Some("r"), tool), words(2, Some("r"), ""), block(3, Some("r"), stop)];
    assert_eq!(told(&all(&empty)), said("", "complete", 1));
}

#[test]
fn the_request_decides_else_the_flow() {
    let in_flow = |row: Row, flow: &str| row.with(|head| head.flow_id = Some(flow.into()));
    let rows = [
        in_flow(block(1, Some("r"), start), "a"),
        in_flow(words(2, Some("r"), "so "), "b"),
        in_flow(words(3, None, "it "), "a"),
        in_flow(block(4, None, start), "c"),
        in_flow(words(5, None, "else"), "c"),
        in_flow(words(6, Some("r"), "goes"), "c"),
    ];
    let items = all(&rows);
    assert_eq!(items.len(), 2);
    assert_eq!(told(&items[..1]), said("so it goes", "open", 3));
    assert_eq!(told(&items[1..]), said("else", "open", 1));
    assert_eq!((items[0].head.flow_id.as_deref(), items[1].request_id.as_deref()), (None, None));
}

#[test]
fn rows_tell_what_they_counted_for() {
    let rows = [delta(1, "a", 1, "x"), delta(2, "a", 1, "x"), done(3, "a", 0, "x")];
    let options = Options { explain: true, ..Options::default() };
    let items = with(options, &rows);
    let how: Vec<_> = items[0].rows.iter().map(|row| row.how).collect();
    assert_eq!(how, ["delta", "repeated delta", "done row"]);
}
