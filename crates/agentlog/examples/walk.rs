use std::time::Instant;
fn main() {
    let data = std::fs::read(std::env::args().nth(1).unwrap()).unwrap();
    for _ in 0..3 {
        let t = Instant::now();
        let (mut n, mut bad, mut keys) = (0, 0, 0);
        for line in memchr::memchr_iter(b'\n', &data).scan(0, |s, e| { let l = &data[*s..e]; *s = e + 1; Some(l) }) {
            n += 1;
            let Ok(text) = std::str::from_utf8(line) else { bad += 1; continue };
            if agentlog::json::fields(text, |k, _| keys += (k == "event") as usize).is_err() { bad += 1; }
        }
        let s = t.elapsed().as_secs_f64();
        println!("outer {n} {bad} {keys} {:.2} GB/s", data.len() as f64 / s / 1e9);
        let t = Instant::now();
        let (mut scratch, mut sum, mut bad) = (Vec::new(), 0, 0);
        for line in memchr::memchr_iter(b'\n', &data).scan(0, |s, e| { let l = &data[*s..e]; *s = e + 1; Some(l) }) {
            let Ok(text) = std::str::from_utf8(line) else { continue };
            let mut inner = None;
            _ = agentlog::json::fields(text, |k, v| if k == "line" { inner = Some(v) });
            if let Some(v) = inner {
                let t = agentlog::json::unescape_into(v.raw, &mut scratch);
                if let Some(t) = t.strip_prefix("data: ") { bad += agentlog::json::fields(t, |_, v| sum += v.raw.len()).is_err() as usize }
            }
        }
        let s = t.elapsed().as_secs_f64();
        println!("outer+inner {sum} {bad} {:.2} GB/s", data.len() as f64 / s / 1e9);
    }
}
