//! Lines of a CSV file (RFC 4180) that no spreadsheet takes for anything but text and numbers.
//!
//! A cell that begins like a formula is one to a spreadsheet, and what a shop calls its orders is not
//! always the shop's own choice. An apostrophe in front makes text of it. Some spreadsheets split
//! lines at semicolons or tabs as well, so what follows one of those is looked at likewise.

/// The characters by which a formula begins.
const BEGINS_FORMULA: [char; 4] = ['=', '+', '-', '@'];

/// Lines that are being written.
#[derive(Debug, Default)]
pub struct Lines {
    written: String,
    /// Whether the line that is being written has a cell.
    begun: bool,
}

impl Lines {
    /// A cell with text of somebody's.
    pub fn text(&mut self, value: &str) {
        self.separate();
        let harmless = harmless(value);
        let must_quote = harmless.contains(['"', ',', ';', '\t', '\r', '\n'])
            || harmless.starts_with(' ')
            || harmless.ends_with(' ');
        if must_quote {
            self.written.push('"');
            self.written.push_str(&harmless.replace('"', "\"\""));
            self.written.push('"');
        } else {
            self.written.push_str(&harmless);
        }
    }

    /// A cell with a number, time or code of our own making.
    pub fn plain(&mut self, value: &str) {
        self.separate();
        self.written.push_str(value);
    }

    /// Ends a line.
    pub fn end(&mut self) {
        self.written.push_str("\r\n");
        self.begun = false;
    }

    /// Everything that was written.
    pub fn into_text(self) -> String {
        self.written
    }

    fn separate(&mut self) {
        if self.begun {
            self.written.push(',');
        }
        self.begun = true;
    }
}

/// The same, where a spreadsheet would see a formula begin, with an apostrophe before it.
fn harmless(value: &str) -> String {
    let mut harmless = String::with_capacity(value.len() + 2);
    let mut at_start = true;
    for character in value.chars() {
        // What cannot be seen could hide what it begins with.
        let begins = BEGINS_FORMULA.contains(&character) || matches!(character, '\t' | '\r' | '\n');
        if at_start && begins {
            harmless.push('\'');
        }
        harmless.push(character);
        at_start = matches!(character, ';' | ',' | '\t' | '\r' | '\n' | '"')
            || (at_start && character == ' ');
    }
    harmless
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cell(value: &str) -> String {
        let mut lines = Lines::default();
        lines.text(value);
        lines.into_text()
    }

    /// Reads a line as RFC 4180 says.
    fn cells(line: &str) -> Vec<String> {
        let mut cells = vec![String::new()];
        let mut quoted = false;
        let mut rest = line.strip_suffix("\r\n").unwrap().chars().peekable();
        while let Some(character) = rest.next() {
            let cell = cells.last_mut().unwrap();
            match character {
                '"' if quoted && rest.peek() == Some(&'"') => {
                    rest.next();
                    cell.push('"');
                }
                '"' => quoted = !quoted,
                ',' if !quoted => cells.push(String::new()),
                other => cell.push(other),
            }
        }
        assert!(!quoted, "{line}");
        cells
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        assert_eq!(cell("WEB-1001"), "WEB-1001");
        assert_eq!(cell("two, three"), "\"two, three\"");
        assert_eq!(cell("a \"mug\""), "\"a \"\"mug\"\"\"");
        assert_eq!(cell("one\ntwo"), "\"one\ntwo\"");
        assert_eq!(cell(""), "");
    }

    #[test]
    fn formulas_are_text() {
        for formula in
            ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "  =1", "=cmd|' /C calc'!A0"]
        {
            let shown = cells(&format!("{}\r\n", cell(formula))).remove(0);
            assert!(shown.trim_start().starts_with('\''), "{formula:?} is {shown:?}");
        }
        assert_eq!(cell("a;=1"), "\"a;'=1\"");
        assert_eq!(cell("a\"=1"), "\"a\"\"'=1\"");
    }

    #[test]
    fn cells_may_be_empty() {
        let mut lines = Lines::default();
        lines.text("");
        lines.text("");
        lines.plain("1.00");
        lines.end();
        lines.text("x");
        lines.end();
        assert_eq!(lines.into_text(), ",,1.00\r\nx\r\n");
    }

    proptest! {
        #[test]
        fn what_went_in_comes_out_and_is_no_formula(values in proptest::collection::vec("[ -~\\n\\r\\tåß€]{1,20}", 1..6)) {
            let mut lines = Lines::default();
            for value in &values {
                lines.text(value);
            }
            lines.end();
            let read = cells(&lines.into_text());
            prop_assert_eq!(read.len(), values.len());
            for (read, value) in read.iter().zip(&values) {
                prop_assert_eq!(read.replace('\'', ""), value.replace('\'', ""));
                let first = read.trim_start_matches(' ').chars().next();
                prop_assert!(first.is_none_or(|first| !BEGINS_FORMULA.contains(&first) && !first.is_control()));
            }
        }
    }
}
