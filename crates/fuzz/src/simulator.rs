//! What the playground reads by itself: tokens, paths, durations, placeholders, forms, queries.

use bytes::Bytes;
use playground::fuzz;

use crate::Input;

/// A token that we did not sign names no session; one that we signed names its own until its time.
pub(crate) fn client_tokens(data: &[u8]) {
    let mut input = Input::new(data);
    let at = input.number().clamp(0, 4_000_000_000_000);
    let text = input.rest();
    let token = fuzz::sign_client_token(&text, at);
    assert_eq!(fuzz::read_client_token(&token, at - 1_000).as_deref(), Some(&*text));
    assert_eq!(fuzz::read_client_token(&token, at.saturating_add(1_000)), None);
    // A text is a token by chance only.
    assert_eq!(fuzz::read_client_token(&text, 0), None);
    // Nor is one that was tampered with: a letter more or another one, wherever it is.
    let mut forged = token.into_bytes();
    let place = usize::try_from(at).unwrap_or(0) % forged.len();
    forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
    if let Some(session) = fuzz::read_client_token(&String::from_utf8(forged).unwrap(), 0) {
        // Bits that no base64 text uses may change; what it says may not.
        assert_eq!(session, text);
    }
}

/// Whatever path is asked for, it stays below the account's own folder.
pub(crate) fn sftp_paths(data: &[u8]) {
    let path = String::from_utf8_lossy(data);
    let Some(names) = fuzz::sftp_path(&path) else { return };
    for name in &names {
        assert!(!name.is_empty() && name != "." && name != "..", "{names:?}");
        assert!(!name.contains(['/', '\\', '\0']), "{names:?}");
    }
    let plain = names.join("/");
    assert_eq!(fuzz::sftp_path(&plain), Some(names.clone()), "the plain path means the same");
    assert_eq!(fuzz::sftp_path(&format!("/{plain}")), Some(names));
}

/// However the clock is told to move, it moves forward, stays in the calendar, or says why not.
pub(crate) fn clock(data: &[u8]) {
    const NOW_MS: i64 = 1_795_000_000_000;
    if let Some(at) = fuzz::clock(data, NOW_MS) {
        assert!(at >= NOW_MS, "{at}");
    }
    let text = String::from_utf8_lossy(data);
    for change in ["advance", "set"] {
        let body = serde_json::json!({ change: text }).to_string();
        if let Some(at) = fuzz::clock(body.as_bytes(), NOW_MS) {
            assert!(at >= NOW_MS, "{at}");
        }
    }
}

/// A URL without placeholders stays as it is, and a value never brings in more than itself.
pub(crate) fn placeholders(data: &[u8]) {
    let mut input = Input::new(data);
    let (url, value) = (input.text(), input.rest());
    let filled = fuzz::fill_placeholders(&url, &value);
    if !url.contains('{') {
        assert_eq!(filled, [url.clone(), url.clone()]);
    }
    // Those of the hosted page are encoded: nothing but letters that end no part of a URL.
    let safe = fuzz::fill_placeholders("https://shop.example/{{session_id}}/?a=1#x", &value);
    let inner = safe[1]
        .strip_prefix("https://shop.example/")
        .and_then(|rest| rest.strip_suffix("/?a=1#x"))
        .unwrap_or_else(|| panic!("{}", safe[1]));
    assert!(!inner.contains(['/', '?', '#', '&', ' ', '\n', '{']), "{inner}");
}

/// Any body as a form of any boundary: a file that is kept has a plain name.
pub(crate) fn forms(data: &[u8]) {
    let mut input = Input::new(data);
    let content_type = input.text();
    let body = Bytes::copy_from_slice(input.rest().as_bytes());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for content_type in [&*content_type, "multipart/form-data; boundary=B"] {
        if let Ok((name, content)) = runtime.block_on(fuzz::form(content_type, body.clone())) {
            assert!(!name.is_empty() && !name.contains(['/', '\\', '\0', '\n', '\r']), "{name:?}");
            assert!(!content.is_empty());
        }
    }
}

/// Any query, any filter.
pub(crate) fn queries(data: &[u8]) {
    fuzz::queries(&String::from_utf8_lossy(data));
}

/// A pattern of paths for faults matches what it says and nothing that it does not.
pub(crate) fn fault_paths(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let (pattern, path) = text.split_once('\n').unwrap_or((&text, &text));
    let plain = !pattern.contains(['{', '}', '*', '?', '#']);
    match fuzz::fault_path(pattern, path) {
        Some(matches) if plain => assert_eq!(matches, pattern == path),
        Some(matches) => assert!(!matches || path.starts_with('/')),
        None => assert!(!plain || !pattern.starts_with('/')),
    }
}
