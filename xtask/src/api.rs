//! The public API of the published crates, as text that is kept with the code: a change of it is a change that one sees.
//!
//! The text is what rustdoc writes on its pages: declarations, methods, and which traits are implemented. So it works with
//! the stable compiler and without a network, and macros are expanded in it. Tools that compare rustdoc's JSON need a
//! nightly compiler, or a released version to compare with, which there is not yet.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::process::{Outcome, cargo, run as run_to_end, workspace};
use crate::say;

/// The published crates: name, folder of its pages, where its text is kept.
const CRATES: [(&str, &str, &str); 2] = [
    ("klarna", "klarna", "docs/api/klarna.txt"),
    ("klarna-types", "klarna_types", "docs/api/klarna-types.txt"),
];

/// What to do about a difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnChange {
    /// Say it and fail.
    Fail,
    /// Keep the new text.
    Accept,
}

/// Compares the API with the text that is kept, or keeps it.
pub(crate) fn run(on_change: OnChange) -> Outcome<()> {
    let root = workspace();
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| root.join("target"), |folder| root.join(folder));
    let mut changed = Vec::new();
    for (name, folder, kept) in CRATES {
        let pages = target.join("doc").join(folder);
        // Pages of things that are gone would stay.
        if pages.exists() {
            fs::remove_dir_all(&pages).map_err(|error| format!("{}: {error}", pages.display()))?;
        }
        // The same features everywhere, so that the text is the same everywhere.
        run_to_end(cargo().args([
            "doc",
            "--quiet",
            "--locked",
            "--no-deps",
            "--all-features",
            "--package",
            name,
        ]))?;
        let found = text_of(&pages)?;
        let kept = root.join(kept);
        let known = fs::read_to_string(&kept).unwrap_or_default();
        if found == known {
            continue;
        }
        say(&difference(name, &known, &found));
        match on_change {
            OnChange::Fail => changed.push(name),
            OnChange::Accept => write(&kept, &found)?,
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the public API of {} is not the one that is kept; if that is meant, say so in CHANGELOG.md and run \
         `cargo xtask api --accept`",
        changed.join(" and ")
    ))
}

fn write(path: &Path, text: &str) -> Outcome<()> {
    let folder = path.parent().unwrap_or(path);
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// The lines that are gone and those that are new.
fn difference(name: &str, known: &str, found: &str) -> String {
    let (known, found): (BTreeSet<&str>, BTreeSet<&str>) =
        (known.lines().collect(), found.lines().collect());
    let mut lines = vec![format!("{name}: {} lines", found.len())];
    lines.extend(known.difference(&found).map(|gone| format!("- {gone}")));
    // At first, everything is new.
    if !known.is_empty() {
        lines.extend(found.difference(&known).map(|new| format!("+ {new}")));
    }
    lines.join("\n") + "\n"
}

/// All pages below a folder, as sorted lines.
fn text_of(folder: &Path) -> Outcome<String> {
    let mut lines = Vec::new();
    collect(folder, &mut Vec::new(), &mut lines)?;
    if lines.is_empty() {
        return Err(format!("{}: there are no pages", folder.display()));
    }
    lines.sort();
    lines.dedup();
    Ok(lines.join("\n") + "\n")
}

fn collect(folder: &Path, path: &mut Vec<String>, lines: &mut Vec<String>) -> Outcome<()> {
    let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            path.push(name);
            collect(&entry.path(), path, lines)?;
            path.pop();
        } else if let Some(item) = name.strip_suffix(".html") {
            let page = fs::read_to_string(entry.path()).map_err(wrong)?;
            let of: Vec<&str> = path.iter().map(String::as_str).chain([item]).collect();
            lines.extend(items(&page).into_iter().map(|line| format!("{}: {line}", of.join("/"))));
        }
    }
    Ok(())
}

/// What one page declares.
fn items(page: &str) -> Vec<String> {
    // What every type has by itself is not ours.
    let page = page.split("id=\"blanket-implementations\"").next().unwrap_or(page);
    let mut found = Vec::new();
    for part in page.split("<pre class=\"rust item-decl\">").skip(1) {
        found.push(plain(part.split("</pre>").next().unwrap_or_default()));
    }
    for part in page.split("<section id=\"").skip(1) {
        let section = part.split("</section>").next().unwrap_or_default();
        let opening = section.split('>').next().unwrap_or_default();
        let Some(code) = section.split("class=\"code-header\">").nth(1) else { continue };
        // The methods of a trait follow from its being implemented.
        if opening.contains("trait-impl") {
            continue;
        }
        found.push(plain(code));
    }
    for part in page.split("class=\"variant\"").skip(1) {
        if let Some(code) = part.split("class=\"code-header\">").nth(1) {
            found.push(format!("variant {}", plain(code.split("</h").next().unwrap_or_default())));
        }
    }
    for part in page.split("<code>pub use ").skip(1) {
        found.push(format!("pub use {}", plain(part.split("</code>").next().unwrap_or_default())));
    }
    found
}

/// Markup taken away, white space made one.
fn plain(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut inside = false;
    for character in html.chars() {
        match character {
            '<' => inside = true,
            '>' => inside = false,
            _ if !inside => text.push(character),
            _ => {}
        }
    }
    let text = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&");
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_become_lines() {
        let page = r#"<pre class="rust item-decl"><code>pub struct <a href="x">Patience</a> {
    pub first: <a>Duration</a>,
}</code></pre><section id="method.new" class="method"><a>Source</a><h4 class="code-header">pub fn <a>new</a>(a: &amp;<a>str</a>) -&gt; Self</h4></section>
<section id="impl-Clone-for-Patience" class="impl"><h3 class="code-header">impl Clone for Patience</h3></section>
<section id="method.clone" class="method trait-impl"><h4 class="code-header">fn clone(&amp;self) -&gt; Self</h4></section>
<h2 id="blanket-implementations"></h2><section id="impl-Any-for-T" class="impl"><h3 class="code-header">impl Any for T</h3></section>"#;
        assert_eq!(
            items(page),
            [
                "pub struct Patience { pub first: Duration, }",
                "pub fn new(a: &str) -> Self",
                "impl Clone for Patience",
            ]
        );
    }

    #[test]
    fn differences_are_lines() {
        assert_eq!(difference("a", "x\ny\n", "y\nz\n"), "a: 2 lines\n- x\n+ z\n");
    }
}
