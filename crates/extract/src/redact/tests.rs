use super::*;

fn clean(text: &str) -> String {
    Redact::new().text(text).into_owned()
}

/// A text of so many letters and digits that looks made by chance, the same each time.
fn chance(letters: &[u8], len: usize) -> String {
    let mut state = 0x9e37_79b9_u64 + len as u64;
    let next = |_| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(letters[(state >> 33) as usize % letters.len()])
    };
    (0..len).map(next).collect()
}

const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const HEX: &[u8] = b"0123456789abcdef";
const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

fn alnum(len: usize) -> String {
    chance(ALNUM, len)
}

fn hex(len: usize) -> String {
    chance(HEX, len)
}

/// Secrets that are told by their own form.
#[allow(clippy::too_many_lines)]
fn tokens() -> Vec<String> {
    let key_body = "MIIEpAIBAAKCAQEA7bq5zGHXGKbkYxV1mXcQ\nd2Fsa2luZyBvbiBzdW5zaGluZQ==";
    let discord = "MTA5ODc2NTQzMjEwOTg3NjU0.GhIjKl.abcdefghijklmnopqrstuvwxyz0123456789AB";
    vec![
        format!("sk-ant-api03-{}-{}AA", alnum(40), alnum(30)),
        format!("sk-proj-{}_{}-{}", alnum(30), alnum(40), alnum(20)),
        format!("sk-{}", alnum(48)),
        format!("sk-or-v1-{}", hex(64)),
        format!("ghp_{}", alnum(36)),
        format!("gho_{}", alnum(36)),
        format!("ghu_{}", alnum(36)),
        format!("ghs_{}", alnum(36)),
        format!("ghr_{}", alnum(36)),
        format!("github_pat_{}_{}", alnum(22), alnum(59)),
        format!("glpat-{}", alnum(20)),
        format!("gldt-{}", alnum(20)),
        format!("glrt-{}", alnum(20)),
        format!("glptt-{}", alnum(40)),
        format!("xoxb-123456789012-1234567890123-{}", alnum(24)),
        format!("xoxp-123456789012-{}", alnum(24)),
        format!("xapp-1-A0123-456-{}", hex(64)),
        format!("AKIA{}", chance(UPPER, 16)),
        format!("ASIA{}", chance(UPPER, 16)),
        format!("ABIA{}", chance(UPPER, 16)),
        format!("AIza{}", alnum(35)),
        format!("ya29.{}", alnum(60)),
        format!("GOCSPX-{}", alnum(28)),
        format!("1//0{}", alnum(60)),
        format!("sk_live_{}", alnum(24)),
        format!("rk_live_{}", alnum(24)),
        format!("sk_test_{}", alnum(24)),
        format!("rk_test_{}", alnum(24)),
        format!("whsec_{}", alnum(32)),
        format!("npm_{}", alnum(36)),
        format!("pypi-AgEIcHlwaS5vcmc{}", alnum(80)),
        format!("hf_{}", alnum(34)),
        format!("SK{}", hex(32)),
        format!("SG.{}.{}", alnum(22), alnum(43)),
        format!("dop_v1_{}", hex(64)),
        format!("doo_v1_{}", hex(64)),
        format!("dor_v1_{}", hex(64)),
        format!("123456789:AA{}", alnum(33)),
        discord.to_owned(),
        format!("key-{}", hex(32)),
        format!("{}-us12", hex(32)),
        format!("shpat_{}", hex(32)),
        format!("shpss_{}", hex(32)),
        format!("shpca_{}", hex(32)),
        format!("shppa_{}", hex(32)),
        format!("sq0atp-{}", alnum(22)),
        format!("sq0csp-{}", alnum(43)),
        format!("lin_api_{}", alnum(40)),
        format!("ntn_{}", alnum(46)),
        format!("dapi{}", hex(32)),
        format!("dp.pt.{}", alnum(43)),
        format!("hvs.{}", alnum(90)),
        format!("hvb.{}", alnum(90)),
        format!("glsa_{}_{}", alnum(32), hex(8)),
        format!("glc_eyJ{}", alnum(60)),
        format!("NRAK-{}", chance(UPPER, 27)),
        format!("pscale_tkn_{}", alnum(43)),
        format!("pscale_pw_{}", alnum(43)),
        format!("PMAK-{}-{}", hex(24), hex(34)),
        format!("rubygems_{}", hex(48)),
        format!("sbp_{}", hex(40)),
        format!("gsk_{}", alnum(52)),
        format!("xai-{}", alnum(80)),
        format!("pplx-{}", alnum(48)),
        format!("r8_{}", alnum(37)),
        format!("lsv2_pt_{}_{}", hex(32), hex(10)),
        format!("ATATT3{}={}", alnum(180), hex(8)),
        format!("ATBB{}", alnum(32)),
        format!("dckr_pat_{}", alnum(27)),
        format!("AGE-SECRET-KEY-1{}", chance(UPPER, 58)),
        format!("sntrys_{}_{}", alnum(60), alnum(43)),
        format!("figd_{}", alnum(40)),
        format!("HRKU-{}", alnum(58)),
        format!("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.{}", alnum(43)),
        format!("eyJhbGciOiJkaXIifQ..{}.{}.{}", alnum(16), alnum(40), alnum(22)),
        format!("-----BEGIN RSA PRIVATE KEY-----\n{key_body}\n-----END RSA PRIVATE KEY-----"),
        format!(
            "-----BEGIN OPENSSH PRIVATE KEY-----\\n{}\\n-----END OPENSSH PRIVATE KEY-----",
            alnum(64)
        ),
    ]
}

#[test]
fn tokens_of_known_forms_are_found_wherever_they_stand() {
    let redact = Redact::new();
    for secret in tokens() {
        let hashed = hash(&secret);
        assert_eq!(redact.text(&secret), hashed, "{secret}");
        for (before, behind) in [
            ("the key is ", " and so on"),
            ("\"", "\","),
            ("x=1\n", "\n"),
            ("\\n", "\\n\\\"text\\\""),
            ("('", "')"),
            ("?key=", "&more=1"),
            ("%3D", "%26"),
            ("\u{1b}[01;31m", "\u{1b}[m"),
            ("é", "é"),
            ("<b>", "</b>"),
        ] {
            let text = [before, &secret, behind].concat();
            let clean = redact.text(&text);
            assert_eq!(clean, [before, &hashed, behind].concat(), "{text}");
            assert_eq!(redact.text(&clean), clean, "a hash is not hashed again");
        }
    }
}

#[test]
fn every_lead_has_its_test() {
    let secrets = tokens();
    for token in tokens::TOKENS {
        let tested = secrets.iter().any(|secret| secret.starts_with(token.lead));
        assert!(tested, "{}", token.lead);
    }
}

#[test]
fn what_is_cut_short_or_inside_a_word_is_none() {
    let redact = Redact::new();
    for secret in tokens() {
        if secret.starts_with("eyJ") || secret.starts_with("-----") {
            continue;
        }
        let inside = format!("aB{secret}");
        let known = secret.starts_with(|c: char| c.is_ascii_digit());
        assert!(known || redact.text(&inside) == inside.as_str(), "{inside}");
        let short = &secret[..secret.len().min(11)];
        assert_eq!(redact.text(short), short);
    }
}

/// Texts around a secret, which alone is hashed.
#[test]
fn what_stands_around_tells_a_secret() {
    let base64_key = format!("{}==", alnum(86));
    let aws = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
    for (before, secret, behind) in [
        ("Authorization: Bearer ", "abcdef0123456789", "\n"),
        ("curl -H 'Authorization: Bearer ", "abcdef0123456789", "' http://x"),
        ("authorization: bearer ", "abc.DEF-123~x", "."),
        ("{\"Authorization\":\"Bearer ", "abcdef0123456789", "\"}"),
        ("{\\\"authorization\\\": \\\"token ", "abcdef0123456789", "\\\"}"),
        ("Authorization: ", "0123456789abcdef0123", "\r\n"),
        ("Authorization: Basic ", "dXNlcjpwYXNzd29yZA==", "\n"),
        ("Proxy-Authorization: Basic ", "YTpi", "\n"),
        ("https://user:", "hunter2", "@host/path"),
        ("https://user:", "p%40ss", "@host"),
        ("postgres://app:", "s3cr3t!", "@db.local:5432/x?y=1"),
        ("redis://:", "letmein", "@127.0.0.1:6379"),
        ("mongodb+srv://u:", "a@b", "@cluster.net"),
        ("AWS_SECRET_ACCESS_KEY=", aws, "\n"),
        ("export AWS_SECRET_ACCESS_KEY=\"", aws, "\""),
        ("\"SecretAccessKey\": \"", aws, "\","),
        ("aws_secret_access_key = ", aws, "\n"),
        ("DB_PASSWORD=", "hunter2", "\nX=1"),
        ("password: ", "correct-horse-battery", "\n"),
        ("password: ", "hunter2", "\n"),
        ("\"password\": \"", "swordfish", "\""),
        ("{\\\"password\\\":\\\"", "swordfish", "\\\",\\\"a\\\":1}"),
        ("Server=x;User Id=sa;Password=", "Sw0rd!fish", ";Encrypt=true"),
        ("Uid=sa;Pwd=", "Sw0rd!fish", ";"),
        ("mysql --password=", "hunter2", " -e 'select 1'"),
        ("tool --token ", "abc123def456", " --verbose"),
        ("GITHUB_TOKEN=", "0123456789abcdef0123456789abcdef01234567", " make"),
        ("SECRET_KEY=", "supersecretvalue", "\n"),
        ("api_key: '", "a1b2c3d4e5f6", "'"),
        ("const apiKey = \"", "a1b2c3d4e5f6", "\";"),
        ("env[\"API_KEY\"] = \"", "a1b2c3d4e5f6", "\""),
        ("client_secret=", "8f14e45fceea167a5a36dedd4bea2543", "&grant_type=x"),
        ("?access_token=", "8f14e45fceea167a5a36dedd4bea2543", "&x=1"),
        ("-e TOKEN_2=", "8f14e45fceea", " img"),
        ("AccountName=a;AccountKey=", &base64_key, ";EndpointSuffix=x"),
        ("SharedAccessKey=", &base64_key, ""),
        ("blob?sv=1&sig=", "aB3%2Bdefghijklmnopqrstuvwxyz0123456789ABCDEFG%3D", "&se=2"),
        (
            "https://hooks.slack.com/services/",
            "T00000000/B00000000/XXXXabcd1234XXXXabcd1234",
            " ok",
        ),
        (
            "https://discord.com/api/webhooks/123456789012345678/",
            "abcdefghijklmnopqrstuvwxyz0123456789ABCD-_efgh",
            "\"",
        ),
        ("curl -u admin:", "hunter2", " http://x"),
        ("curl -s --user 'admin:", "hunter2", "' http://x"),
        ("https://api.telegram.org/bot", "123456789:AAabcdefghijklmnopqrstuvwxyz0123456", "/getMe"),
        ("private_key => '", "0123456789abcdefABCDEF", "'"),
    ] {
        let text = [before, secret, behind].concat();
        let expected = [before, &hash(secret), behind].concat();
        assert_eq!(clean(&text), expected, "{text}");
        assert_eq!(clean(&expected), expected, "a hash is not hashed again");
    }
}

#[test]
fn ordinary_text_stays() {
    for text in [
        "550e8400-e29b-41d4-a716-446655440000",
        "019a9777-0a51-7000-8000-000000000001__turn_3",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "msg_01AbCdEfGhIjKlMnOpQrStUv toolu_01AbCdEfGhIjKlMnOpQrStUv req_011CUxYzAbCdEfGhIjKlMnOp",
        "call_AbCdEfGhIjKlMnOpQrStUvWx resp_0123456789abcdef0123456789abcdef0123456789abcdef fc_0123456789abcdef0123456789abcdef",
        "rs_0123456789abcdef0123456789abcdef0123456789abcdef ctc_68a1b2c3d4",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "task-force-one-hundred-and-twenty disk-0123456789012345678901234",
        "sk-learn-something-about-machines-and-people-today",
        "npm_config_registry npm_package_version hf_hub_download ghp_short",
        "\"input_tokens\": 4096, \"max_tokens\": 32000, \"cache_read_input_tokens\":123456789",
        "token = get_token(request, 12345678)",
        "let token = parse_token_v2(input);",
        "token = self.tokens[index2]",
        "pub fn password(&self) -> &str { self.password }",
        "password: string; password?: String, password: &str, password: Optional[str]",
        "password = getpass.getpass()",
        "password: ${DB_PASSWORD} password=$PASS password: <your password> password=****",
        "PASSWORD=process.env.PASSWORD TOKEN=${{ secrets.GITHUB_TOKEN }}",
        "Authorization: Bearer $TOKEN",
        "Authorization: Bearer <token>",
        "the bearer responsibilities, Bearer token, Basic authentication, Basic Auth, basic usage:",
        "\"password\": \"Please enter your password\"",
        "if token == other_token1234 { } token != null",
        "PWD=/home/user/project2",
        "TOKEN_FILE=/run/secrets/token2 SECRET=/run/secrets/x12345 password_hash = abc12345",
        "https://github.com/owner/repo@v1 git@github.com:owner/repo.git http://host:8080/@scope/x",
        "see https://example.com/a:b@c and ssh://git@host:22/x, https://user@host/x:y",
        "https://user:${PASSWORD}@host postgres://user:<password>@host",
        "-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK\n-----END PUBLIC KEY-----",
        "\"-----BEGIN PRIVATE KEY-----\" and \"-----END PRIVATE KEY-----\"",
        "eyJhbGciOiJIUzI1NiJ9 alone, eyJ.eyJ.x",
        "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ",
        "12:34:56 ABC 10:AAA 123456789:AAA",
        "hash:0123456789abcdef",
        "chown -u user:group file; docker run -u 1000:1000 img",
        "SKILL SKU0123456789 NTFS MTU ODT OTHER",
        "next_page_token: null, \"token\": true, \"secret\": {\"name\": \"x\"}",
        "secretKeyRef:\n  name: my-secret\n  key: token",
        "tokenizer: token_v1 Token::Ident(name1234567890)",
        "key-value key-0123 the-us1 32-us",
    ] {
        assert_eq!(clean(text), text);
    }
}

#[test]
fn the_same_secret_gives_the_same_hash() {
    let key = format!("sk-ant-api03-{}", alnum(90));
    let texts = [
        key.clone(),
        format!("ANTHROPIC_API_KEY={key}"),
        format!("use {key}."),
        format!("api_key: \"{key}\","),
        format!("Authorization: Bearer {key}"),
        format!("x-api-key: {key}\r\n"),
    ];
    for text in texts {
        assert!(clean(&text).contains(&hash(&key)) && !clean(&text).contains(&key), "{text}");
    }
    assert!(is_hash(&hash("x")) && hash("x") != hash("y"));
}

#[test]
fn members_and_headers_are_told_by_their_names() {
    let redact = Redact::new();
    assert_eq!(redact.member("password", "swordfish"), hash("swordfish"));
    assert_eq!(
        redact.member("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG"),
        hash("wJalrXUtnFEMI/K7MDENG")
    );
    assert_eq!(redact.member("Authorization", "Bearer abc"), "Bearer abc");
    let bearer = redact.member("Authorization", "Bearer abcdef0123");
    assert_eq!(bearer, format!("Bearer {}", hash("abcdef0123")));
    assert_eq!(redact.member("command", "ls -la"), "ls -la");
    assert_eq!(redact.member("password", "string"), "string");
    for name in
        ["authorization", "Cookie", "set-cookie", "x-api-key", "API-Key", "proxy-authorization"]
    {
        assert_eq!(redact.header(name, "Bearer abc"), hash("Bearer abc"), "{name}");
        assert_eq!(redact.header(name, "hash:0123456789abcdef"), "hash:0123456789abcdef");
    }
    assert_eq!(redact.header("x-goog-api-key", "k"), hash("k"));
    assert_eq!(redact.header("content-type", "application/json"), "application/json");
    assert_eq!(redact.header("session_id", "019a9900"), "019a9900");
}

#[test]
fn many_secrets_in_one_text() {
    let secrets = tokens();
    let text = secrets.join(" , ");
    let hashes: Vec<String> = secrets.iter().map(|secret| hash(secret)).collect();
    assert_eq!(clean(&text), hashes.join(" , "));
}

#[test]
fn hostile_texts_do_no_harm() {
    for piece in [
        "://",
        "password=",
        "eyJ",
        "eyJ.",
        "-----BEGIN PRIVATE KEY-----",
        "\\\"",
        "token:\"",
        "sk-",
        "a:b@",
        ":AA",
        "-us1",
    ] {
        let text = piece.repeat(20_000);
        let found = clean(&text);
        assert!(!found.is_empty());
    }
    for text in [
        "",
        "a",
        "://",
        "sk-",
        "é://é:é@é",
        "Bearer ",
        "password=",
        "password=\"",
        "token: 'é",
        "SG.",
        "SK",
        "eyJ",
    ] {
        let _ = clean(text);
        let _ = clean(&format!("{}{text}", " ".repeat(64)));
    }
}
