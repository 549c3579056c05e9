//! A look at a script without running it: whether its brackets and quotes close.
//!
//! Scripts are stored and not run, so that no more is looked at; what is plainly
//! cut off is refused all the same, as clients expect.

/// Looks at a script.
///
/// # Errors
/// What a JavaScript engine would say of it.
pub(super) fn check(script: &str) -> Result<(), &'static str> {
    let mut reader = Reader { letters: script.chars().peekable(), open: Vec::new(), last: None };
    while let Some(letter) = reader.letters.next() {
        reader.take(letter)?;
    }
    match reader.open.last() {
        None => Ok(()),
        Some('`') => Err("SyntaxError: Unterminated template literal"),
        Some(_) => Err("SyntaxError: Unexpected end of input"),
    }
}

struct Reader<'a> {
    letters: std::iter::Peekable<std::str::Chars<'a>>,
    /// What was opened and is to be closed; '$' stands for `${` within a template.
    open: Vec<char>,
    /// The last letter or sign that was no blank.
    last: Option<char>,
}

impl Reader<'_> {
    fn take(&mut self, letter: char) -> Result<(), &'static str> {
        match letter {
            '\'' | '"' => self.text(letter)?,
            '`' => {
                self.open.push('`');
                self.template()?;
            }
            '(' | '[' | '{' => self.open.push(letter),
            ')' => self.close('(', "SyntaxError: Unexpected token ')'")?,
            ']' => self.close('[', "SyntaxError: Unexpected token ']'")?,
            '}' if self.open.last() == Some(&'$') => {
                self.open.pop();
                self.template()?;
            }
            '}' => self.close('{', "SyntaxError: Unexpected token '}'")?,
            '/' => self.slash()?,
            _ => {}
        }
        if !letter.is_whitespace() {
            self.last = Some(letter);
        }
        Ok(())
    }

    fn close(&mut self, opened: char, problem: &'static str) -> Result<(), &'static str> {
        if self.open.pop() == Some(opened) { Ok(()) } else { Err(problem) }
    }

    /// The rest of a text in quotes, which ends on its line.
    fn text(&mut self, quote: char) -> Result<(), &'static str> {
        while let Some(letter) = self.letters.next() {
            match letter {
                '\\' => drop(self.letters.next()),
                '\n' | '\r' => break,
                letter if letter == quote => return Ok(()),
                _ => {}
            }
        }
        Err("SyntaxError: Invalid or unexpected token")
    }

    /// The rest of a template, up to its end or to something to be computed.
    fn template(&mut self) -> Result<(), &'static str> {
        while let Some(letter) = self.letters.next() {
            match letter {
                '\\' => drop(self.letters.next()),
                '`' => {
                    self.open.pop();
                    return Ok(());
                }
                '$' if self.letters.peek() == Some(&'{') => {
                    self.letters.next();
                    self.open.push('$');
                    return Ok(());
                }
                _ => {}
            }
        }
        Err("SyntaxError: Unterminated template literal")
    }

    /// A comment, a pattern, or a division.
    fn slash(&mut self) -> Result<(), &'static str> {
        match self.letters.peek() {
            Some('/') => {
                self.letters.by_ref().find(|letter| *letter == '\n');
                Ok(())
            }
            Some('*') => {
                self.letters.next();
                let mut before = ' ';
                for letter in self.letters.by_ref() {
                    if before == '*' && letter == '/' {
                        return Ok(());
                    }
                    before = letter;
                }
                Err("SyntaxError: Invalid or unexpected token")
            }
            // Behind a value a slash divides. Behind a word it mostly does.
            _ if self.last.is_none_or(|last| "(,=:[!&|?{};+-*%<>~^".contains(last)) => {
                self.pattern()
            }
            _ => Ok(()),
        }
    }

    /// The rest of a pattern, which ends on its line.
    fn pattern(&mut self) -> Result<(), &'static str> {
        let mut in_class = false;
        while let Some(letter) = self.letters.next() {
            match letter {
                '\\' => drop(self.letters.next()),
                '[' => in_class = true,
                ']' => in_class = false,
                '/' if !in_class => return Ok(()),
                '\n' => break,
                _ => {}
            }
        }
        Err("SyntaxError: Invalid regular expression: missing /")
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn sound_scripts_are_taken() {
        for script in [
            "",
            "log(\"hi\");",
            "return {writable:false,value:[\"1\",\"xsd:string\"]};",
            "// it's a comment )\nlet a = 'x\\'y'; /* ( */",
            "const re = /[/\"']\\//g; let b = a / 2 / 3;",
            "let t = `a ${ {b: `c ${d}`}.b } '`;",
            "declare('Device.*', {value: Date.now(3600 * 1000)}); // end",
        ] {
            assert_eq!(check(script), Ok(()), "{script}");
        }
    }

    #[test]
    fn scripts_that_are_cut_are_refused() {
        for (script, problem) in [
            ("log(\"hi", "SyntaxError: Invalid or unexpected token"),
            ("log(\"hi\"", "SyntaxError: Unexpected end of input"),
            ("log(\"hi\"))", "SyntaxError: Unexpected token ')'"),
            ("a = [1, 2}", "SyntaxError: Unexpected token '}'"),
            ("x = `a ${b", "SyntaxError: Unexpected end of input"),
            ("x = `a", "SyntaxError: Unterminated template literal"),
            ("/* ", "SyntaxError: Invalid or unexpected token"),
            ("x = /a", "SyntaxError: Invalid regular expression: missing /"),
        ] {
            assert_eq!(check(script), Err(problem), "{script}");
        }
    }
}
