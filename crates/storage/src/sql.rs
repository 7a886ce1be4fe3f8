//! SQL as text: one spelling for both engines, translated here.
//!
//! The spelling is PostgreSQL's. What differs is little and stays in this module: SQLite counts its parameters as `?1`
//! where PostgreSQL has `$1`, and knows no row locks. Strings, quoted names and comments are left alone.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Engine;

/// Where a scanner stands in SQL text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Code,
    Quoted,
}

/// Splits `sql` into stretches of code and stretches that are not code: strings, quoted names, comments, dollar quotes.
fn parts(sql: &str) -> Vec<(Part, &str)> {
    let bytes = sql.as_bytes();
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < bytes.len() {
        let rest = &sql[at..];
        let skipped = match bytes[at] {
            quote @ (b'\'' | b'"') => quoted_len(rest, quote),
            b'-' if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            b'/' if rest.starts_with("/*") => block_comment_len(rest),
            b'$' => dollar_quote_len(rest),
            _ => 0,
        };
        if skipped == 0 {
            at += 1;
            // Stay on a character boundary: everything looked for is ASCII.
            while !sql.is_char_boundary(at) {
                at += 1;
            }
        } else {
            if start < at {
                found.push((Part::Code, &sql[start..at]));
            }
            found.push((Part::Quoted, &sql[at..at + skipped]));
            at += skipped;
            start = at;
        }
    }
    if start < at {
        found.push((Part::Code, &sql[start..at]));
    }
    found
}

/// A doubled quote inside is two neighbouring quoted stretches, which comes to the same here.
fn quoted_len(rest: &str, quote: u8) -> usize {
    rest.bytes().skip(1).position(|byte| byte == quote).map_or(rest.len(), |end| end + 2)
}

fn block_comment_len(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at + 1 < bytes.len() {
        match &bytes[at..at + 2] {
            b"/*" => {
                depth += 1;
                at += 2;
            }
            b"*/" => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    rest.len()
}

/// `$$…$$` or `$tag$…$tag$`; a parameter (`$1`) is not a quote.
fn dollar_quote_len(rest: &str) -> usize {
    let Some(tag_end) =
        rest[1..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).map(|end| end + 1)
    else {
        return 0;
    };
    let numbered = rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
    if numbered || rest.as_bytes()[tag_end] != b'$' {
        return 0;
    }
    let tag = &rest[..=tag_end];
    rest[tag.len()..].find(tag).map_or(rest.len(), |end| end + 2 * tag.len())
}

/// Translates `sql` for `engine`.
pub(crate) fn for_engine(sql: &str, engine: Engine) -> String {
    let mut out = String::with_capacity(sql.len());
    for (part, text) in parts(sql) {
        match part {
            Part::Quoted => out.push_str(text),
            Part::Code => {
                let (locked, skip_locked) = match engine {
                    Engine::Sqlite => ("", ""),
                    Engine::Postgres => ("FOR UPDATE", "FOR UPDATE SKIP LOCKED"),
                };
                let text = text
                    .replace("{for_update_skip_locked}", skip_locked)
                    .replace("{for_update}", locked);
                match engine {
                    Engine::Sqlite => out.push_str(&text.replace('$', "?")),
                    Engine::Postgres => out.push_str(&text),
                }
            }
        }
    }
    out
}

/// Splits a migration into its statements, without the empty ones.
pub(crate) fn statements(sql: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut current = String::new();
    let mut has_code = false;
    for (part, text) in parts(sql) {
        match part {
            Part::Quoted => {
                has_code |= !(text.starts_with("--") || text.starts_with("/*"));
                current.push_str(text);
            }
            Part::Code => {
                let mut pieces = text.split(';').peekable();
                while let Some(piece) = pieces.next() {
                    has_code |= !piece.trim().is_empty();
                    current.push_str(piece);
                    if pieces.peek().is_some() {
                        if has_code {
                            found.push(current.trim().to_owned());
                        }
                        current.clear();
                        has_code = false;
                    }
                }
            }
        }
    }
    if has_code {
        found.push(current.trim().to_owned());
    }
    found
}

/// Remembers translations of `'static` texts by where they lie in memory, which for `'static` text identifies them
/// for good. A look-up costs one hash of two words.
#[derive(Default)]
pub(crate) struct Translations(HashMap<(usize, usize), Arc<str>>);

impl Translations {
    pub(crate) fn get(&mut self, sql: &'static str, engine: Engine) -> Arc<str> {
        Arc::clone(
            self.0
                .entry((sql.as_ptr().addr(), sql.len()))
                .or_insert_with(|| Arc::from(for_engine(sql, engine).trim())),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_sqlite(sql: &str, expected: &str) {
        assert_eq!(for_engine(sql, Engine::Sqlite), expected);
    }

    #[test]
    fn parameters_are_numbered_the_sqlite_way() {
        check_sqlite("SELECT $1, $12", "SELECT ?1, ?12");
        check_sqlite("SELECT '$1', \"$2\", $3", "SELECT '$1', \"$2\", ?3");
        check_sqlite("SELECT 'it''s $1' || $2", "SELECT 'it''s $1' || ?2");
        check_sqlite("SELECT $1 -- $2\n, $3", "SELECT ?1 -- $2\n, ?3");
        check_sqlite("SELECT $1 /* $2 /* $3 */ $4 */ , $5", "SELECT ?1 /* $2 /* $3 */ $4 */ , ?5");
        check_sqlite("SELECT 'å$1ö', $1", "SELECT 'å$1ö', ?1");
    }

    #[test]
    fn row_locks_are_a_clause_or_nothing() {
        let sql = "SELECT a FROM t {for_update_skip_locked}";
        check_sqlite(sql, "SELECT a FROM t ");
        assert_eq!(for_engine(sql, Engine::Postgres), "SELECT a FROM t FOR UPDATE SKIP LOCKED");
        assert_eq!(for_engine("SELECT $1 {for_update}", Engine::Postgres), "SELECT $1 FOR UPDATE");
        check_sqlite("SELECT '{for_update}'", "SELECT '{for_update}'");
    }

    #[test]
    fn statements_end_at_semicolons_that_are_code() {
        let check = |sql: &str, expected: &[&str]| assert_eq!(statements(sql), expected);
        check("A; B", &["A", "B"]);
        check("A;;\n;B;", &["A", "B"]);
        check("A ';' ; B \";\"", &["A ';'", "B \";\""]);
        check("A -- ;\n; B /* ; */;", &["A -- ;", "B /* ; */"]);
        check("-- only a comment;\n", &[]);
        check("DO $$ x; y $$; B", &["DO $$ x; y $$", "B"]);
        check("DO $body$ x; $$ y $body$; B", &["DO $body$ x; $$ y $body$", "B"]);
        check("INSERT 'a''; b'; C", &["INSERT 'a''; b'", "C"]);
        check("unterminated ' ; B", &["unterminated ' ; B"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_scanned_without_loss(sql in "[a-z0-9$;'\"/* \n{}å-]{0,60}") {
            let joined: String = parts(&sql).into_iter().map(|(_, text)| text).collect();
            proptest::prop_assert_eq!(joined, sql.clone());
            let _ = statements(&sql);
            let _ = for_engine(&sql, Engine::Sqlite);
        }
    }
}
