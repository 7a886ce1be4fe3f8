//! Paths with ids in them: what goes over the wire, and the template that may be logged.

use crate::error::Error;

/// Builds the path of a template such as `/payments/v1/sessions/{session_id}` by putting the values in, in order.
///
/// A value that could leave its segment is escaped; one that cannot name anything is refused.
pub(crate) fn fill(template: &'static str, values: &[&str]) -> Result<String, Error> {
    let mut path = String::with_capacity(template.len() + 40 * values.len());
    let mut values = values.iter();
    for segment in template.split('/').skip(1) {
        path.push('/');
        if !segment.starts_with('{') {
            path.push_str(segment);
            continue;
        }
        match values.next().copied() {
            Some(value) if !matches!(value, "" | "." | "..") => escape(value, &mut path),
            _ => {
                return Err(Error::invalid(
                    template,
                    format!("{segment} is empty or cannot stand in a URL"),
                ));
            }
        }
    }
    Ok(path)
}

/// Percent-encodes everything but unreserved characters and the colon, which Klarna's resource names are full of.
fn escape(value: &str, into: &mut String) {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    for byte in value.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':') {
            into.push(char::from(byte));
        } else {
            into.push('%');
            for nibble in [byte >> 4, byte & 0xf] {
                into.push(HEX.get(usize::from(nibble)).copied().map_or('0', char::from));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stay_in_their_segment() {
        let path = |value: &str| fill("/a/{b}/c", &[value]).ok();
        assert_eq!(path("1-2").as_deref(), Some("/a/1-2/c"));
        assert_eq!(path("../x?y#z %").as_deref(), Some("/a/..%2Fx%3Fy%23z%20%25/c"));
        assert_eq!(path("krn:k:1").as_deref(), Some("/a/krn:k:1/c"));
        assert_eq!(path("å").as_deref(), Some("/a/%C3%A5/c"));
        for refused in ["", ".", ".."] {
            assert_eq!(path(refused), None);
        }
        assert!(fill("/a/{b}", &[]).is_err());
    }
}
