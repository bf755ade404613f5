//! A pull cursor over quick-xml that lives through damage: end tags that close nothing or too much, markup that never
//! ends, elements nested too deeply, a file that stops in the middle. Each fault is a note; what can be read is read.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::events::Event;

use super::tag::{Tag, attributes, local, split};
use crate::error::Place;
use crate::report::{Code, Notes};

const TRUNCATED: Code = Code::damage("xml.truncated");
const MISMATCH: Code = Code::damage("xml.mismatch");
const MARKUP: Code = Code::damage("xml.markup");
const DEPTH: Code = Code::damage("xml.depth");
const TRAILING: Code = Code::info("xml.trailing");
const LEFT_OUT: Code = Code::info("xml.left_out");

/// Broken markup is scanned to the end of the file and then again from the next `<`. More than this many bytes for each
/// byte of the file are not spent on that.
const RESCANS: usize = 16;

/// One step through a document.
#[derive(Debug)]
pub enum Step<'a> {
    /// An element opens; an empty one is closed by the next step.
    Open(Tag<'a>),
    /// The innermost element closes.
    Close,
    /// Text of the innermost element, or a part of it.
    Text(&'a str),
    /// A character reference in the text of the innermost element.
    Char(char),
    /// The end; open elements stay open.
    End,
}

/// How deep an element belongs: one of rank 2 never stands in another of rank 2 or more, and right inside of one with less.
/// 0 for elements without a rank.
pub type Rank = fn(&str) -> u8;

/// The cursor. Offsets are bytes of the decoded text.
pub struct Cursor<'a> {
    text: &'a str,
    base: usize,
    reader: Reader<&'a [u8]>,
    open: Vec<&'a str>,
    closing: usize,
    too_deep: usize,
    most_open: usize,
    rank: Rank,
    rescanned: usize,
    ended: bool,
    /// True while the innermost element has no child.
    childless: bool,
    /// True while broken markup was met in the text of the innermost element.
    torn: bool,
    /// True when the element that closed last did so without an end tag of its own, or with broken markup in its text:
    /// that may be half of what it was.
    pub cut_short: bool,
    /// What is wrong with the document.
    pub notes: Notes,
}

impl<'a> Cursor<'a> {
    /// A cursor before the first element; `most_open` elements may be nested.
    pub fn new(text: &'a str, most_open: usize) -> Cursor<'a> {
        let skipped =
            text.len() - text.trim_start_matches(|c: char| c.is_whitespace() || "\0\u{feff}".contains(c)).len();
        Cursor {
            text,
            base: skipped,
            reader: reader(&text[skipped..]),
            open: Vec::new(),
            closing: 0,
            too_deep: 0,
            most_open,
            rank: |_| 0,
            rescanned: 0,
            ended: false,
            childless: true,
            torn: false,
            cut_short: false,
            notes: Notes::new(),
        }
    }

    /// Gives elements ranks: where they stand in each other as they cannot, an end tag was lost, and they are closed.
    pub fn ranked(self, rank: Rank) -> Cursor<'a> {
        Cursor { rank, ..self }
    }

    /// The whole text.
    pub fn source(&self) -> &'a str {
        self.text
    }

    /// Byte offset of what comes next.
    pub fn at(&self) -> usize {
        self.base + self.reader.buffer_position() as usize
    }

    /// The local names of the open elements, innermost first.
    pub fn ancestors(&self) -> impl Iterator<Item = &'a str> {
        self.open.iter().rev().map(|name| local(name))
    }

    /// True when the document ended with open elements.
    pub fn is_cut(&self) -> bool {
        self.ended && !self.open.is_empty()
    }

    /// How many faults that lose data were met so far.
    pub fn damage(&self) -> u64 {
        self.notes.iter().filter(|note| note.severity == crate::report::Severity::Damage).map(|note| note.count).sum()
    }

    /// Goes on at byte `at`, behind children of the innermost element that were read without the cursor.
    pub fn pass(&mut self, at: usize) {
        self.childless = false;
        self.jump(at);
    }

    fn jump(&mut self, at: usize) {
        if let Some(rest) = self.text.get(at..) {
            // A reader takes a byte order mark off the beginning without counting it.
            let mark = if rest.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
            self.base = at + mark;
            self.reader = reader(&rest[mark..]);
        }
    }

    /// Where children of the element open at `level` may be scanned without the cursor; `None` when it is not right inside
    /// that element, or when nesting is near its limit.
    pub fn scan_from(&self, level: usize) -> Option<usize> {
        let free = self.closing == 0 && self.too_deep == 0 && !self.ended && self.open.len() == level;
        (free && level + super::shape::MOST_OPEN <= self.most_open).then(|| self.at())
    }

    /// The next start tag right inside the element that is open at `level`; what stands between is passed over.
    /// `None` when that element closes or the document ends.
    pub fn child(&mut self, level: usize) -> Option<Tag<'a>> {
        loop {
            match self.step() {
                Step::Open(tag) if tag.level == level + 1 => return Some(tag),
                Step::Close if self.open.len() < level => return None,
                Step::End => return None,
                _ => {}
            }
        }
    }

    /// The text of the element that a tag has just opened, without that of its children; `None` when the document
    /// ended inside it.
    pub fn text(&mut self, tag: &Tag<'a>) -> Option<Cow<'a, str>> {
        let mut whole: Option<Cow<'a, str>> = None;
        loop {
            match self.step() {
                Step::Text(part) if self.open.len() == tag.level => match &mut whole {
                    Some(whole) => whole.to_mut().push_str(part),
                    None => whole = Some(part.into()),
                },
                Step::Char(c) if self.open.len() == tag.level => whole.get_or_insert_default().to_mut().push(c),
                Step::Close if self.open.len() < tag.level => return Some(whole.unwrap_or_default()),
                Step::End => return None,
                _ => {}
            }
        }
    }

    /// All text inside the element that a tag has just opened, children included; `None` when the document ended in it.
    pub fn all_text(&mut self, tag: &Tag<'a>) -> Option<String> {
        let mut whole = String::new();
        loop {
            match self.step() {
                Step::Text(part) => whole.push_str(part),
                Step::Char(c) => whole.push(c),
                Step::Close if self.open.len() < tag.level => return Some(whole),
                Step::End => return None,
                _ => {}
            }
        }
    }

    /// Passes over an element that says something of the whole that nobody knows a place for.
    pub fn leave_out(&mut self, tag: &Tag<'a>) {
        let mut says = attributes(tag.attributes).next().is_some();
        loop {
            match self.step() {
                Step::Open(part) => says |= attributes(part.attributes).next().is_some(),
                Step::Text(part) => says |= !part.trim().is_empty(),
                Step::Close if self.open.len() < tag.level => break,
                Step::End => break,
                _ => {}
            }
        }
        if says {
            note(self.text, &mut self.notes, LEFT_OUT, tag.at, tag.name, || {
                format!("{} says something of the whole that there is no place for", tag.name)
            });
        }
    }

    /// One step.
    pub fn step(&mut self) -> Step<'a> {
        if self.closing > 0 {
            return self.close_next();
        }
        loop {
            let at = self.at();
            let event = self.reader.read_event();
            let end = self.at();
            let raw = self.text.get(at..end).unwrap_or_default();
            match event {
                Ok(Event::Start(_) | Event::Empty(_)) if self.end_was_lost(at, raw) => return self.close_next(),
                Ok(Event::Start(_)) => {
                    if let Some(tag) = self.open_tag(at, raw, 1) {
                        return Step::Open(tag);
                    }
                }
                Ok(Event::Empty(_)) => {
                    if let Some(tag) = self.open_tag(at, raw, 2) {
                        self.closing = 1;
                        return Step::Open(tag);
                    }
                    self.too_deep = self.too_deep.saturating_sub(1);
                }
                Ok(Event::End(_)) => {
                    if self.close_tag(at, raw) {
                        return Step::Close;
                    }
                }
                Ok(Event::Text(_)) => {
                    if !self.open.is_empty() {
                        if self.too_deep == 0 {
                            return Step::Text(raw);
                        }
                    } else if raw.contains(|c: char| !c.is_whitespace() && c != '\0' && c != '\u{feff}') {
                        note(self.text, &mut self.notes, TRAILING, at, "", || "text outside of the root element");
                    }
                }
                Ok(Event::CData(_)) if self.too_deep == 0 => {
                    return Step::Text(raw.get(9..raw.len().saturating_sub(3)).unwrap_or_default());
                }
                Ok(Event::GeneralRef(reference)) if self.too_deep == 0 => {
                    return match reference.resolve_char_ref() {
                        Ok(Some(c)) => Step::Char(c),
                        _ => named_reference(raw).map_or(Step::Text(raw), Step::Char),
                    };
                }
                Ok(Event::Eof) => {
                    self.finish();
                    return Step::End;
                }
                Ok(_) => {}
                Err(error) => {
                    let rest = self.text.as_bytes().get(at + 1..).unwrap_or_default();
                    let next = memchr::memchr(b'<', rest).map_or(self.text.len(), |found| at + 1 + found);
                    self.jump_over(at, rest.len(), next, &error.to_string());
                }
            }
        }
    }

    /// Closes the innermost element, the first of those that are to be closed.
    fn close_next(&mut self) -> Step<'a> {
        self.closing -= 1;
        self.cut_short = self.closing > 0;
        self.childless = false;
        self.open.pop();
        Step::Close
    }

    /// True when the start tag at `at` cannot stand here, because the end tag of something before it was lost: that is
    /// to be closed, and then the start tag is read again.
    fn end_was_lost(&mut self, at: usize, raw: &str) -> bool {
        let name = raw.get(1..).unwrap_or_default();
        let name = &name[..name.find(|c: char| c.is_ascii_whitespace() || "/>".contains(c)).unwrap_or(name.len())];
        let (prefix, local) = split(name);
        let rank = (self.rank)(local);
        if rank == 0 || self.too_deep > 0 {
            return false;
        }
        let ranks = self.open.iter().map(|open| {
            let (of, open) = split(open);
            if of == prefix { (self.rank)(open) } else { 0 }
        });
        // What it cannot stand in, or whatever stands between it and what it stands in.
        let (mut found, mut around) = (None, None);
        for (i, open) in ranks.enumerate() {
            found = found.or((open >= rank).then_some(i));
            around = if open > 0 { Some(i + 1) } else { around };
        }
        let Some(found) = found.or(around).filter(|found| *found < self.open.len()) else { return false };
        let lost = self.open[found];
        note(self.text, &mut self.notes, MISMATCH, at, name, || format!("{name} begins before the end of {lost}"));
        self.closing = self.open.len() - found;
        self.jump(at);
        true
    }

    /// Opens an element; `cut` bytes end its tag. `None` when it is broken or too deep.
    fn open_tag(&mut self, at: usize, raw: &'a str, cut: usize) -> Option<Tag<'a>> {
        let inside = raw.get(1..raw.len().saturating_sub(cut)).unwrap_or_default();
        if let Some(broken) = memchr::memchr(b'<', inside.as_bytes()) {
            // A `<` may not stand in a tag, not even between quotes: a quote or bracket was lost before it.
            self.jump_over(at, raw.len(), at + 1 + broken, "a tag is not closed");
            return None;
        }
        let name = &inside[..inside.find(|c: char| c.is_ascii_whitespace()).unwrap_or(inside.len())];
        if self.open.len() >= self.most_open || self.too_deep > 0 {
            self.too_deep += 1;
            let most = self.most_open;
            note(self.text, &mut self.notes, DEPTH, at, name, || format!("more than {most} elements are nested"));
            return None;
        }
        self.open.push(name);
        self.childless = true;
        self.torn = false;
        let (prefix, local) = split(name);
        Some(Tag { prefix, name: local, attributes: &inside[name.len()..], at, level: self.open.len() })
    }

    /// Closes an element; false when the end tag closes none.
    fn close_tag(&mut self, at: usize, raw: &'a str) -> bool {
        let inside = raw.get(2..raw.len().saturating_sub(1)).unwrap_or_default();
        let torn = std::mem::replace(&mut self.torn, false);
        let name = match memchr::memchr(b'<', inside.as_bytes()) {
            // Its bracket was lost.
            Some(broken) => {
                self.jump_over(at, raw.len(), at + 2 + broken, "a tag is not closed");
                self.torn = false;
                &inside[..broken]
            }
            None => inside,
        };
        let name = name.trim_ascii();
        if self.too_deep > 0 {
            self.too_deep -= 1;
            return false;
        }
        let childless = std::mem::replace(&mut self.childless, false);
        if self.open.is_empty() {
            note(self.text, &mut self.notes, TRAILING, at, name, || "an end tag outside of the root element");
            return false;
        }
        let Some(found) = self.open.iter().rposition(|open| *open == name) else {
            note(self.text, &mut self.notes, MISMATCH, at, name, || {
                format!("</{}> closes nothing that is open", excerpt(name))
            });
            self.cut_short = torn;
            // Right behind the text of an element it is that element's own end tag, misspelt.
            return childless && self.open.pop().is_some();
        };
        self.closing = self.open.len() - found - 1;
        self.cut_short = self.closing > 0 || torn;
        if self.closing > 0 {
            note(self.text, &mut self.notes, MISMATCH, at, name, || {
                format!("</{name}> comes before the end of {}", self.open.last().copied().unwrap_or_default())
            });
        }
        self.open.pop();
        true
    }

    /// Goes on at `next` after markup at `at` that was scanned for `scanned` bytes and is broken.
    fn jump_over(&mut self, at: usize, scanned: usize, next: usize, reason: &str) {
        self.rescanned += scanned;
        self.torn = true;
        if next < self.text.len() && self.rescanned <= RESCANS * self.text.len() {
            note(self.text, &mut self.notes, MARKUP, at, "", || reason.to_owned());
            self.jump(next);
            return;
        }
        let inside = self.open.last().copied().unwrap_or_default();
        note(self.text, &mut self.notes, TRUNCATED, at, inside, || format!("the file ends early: {reason}"));
        self.ended = true;
        self.jump(self.text.len());
    }

    fn finish(&mut self) {
        if !self.ended
            && let Some(inside) = self.open.last()
        {
            note(self.text, &mut self.notes, TRUNCATED, self.text.len(), inside, || {
                format!("the file ends before {inside} is closed")
            });
        }
        self.ended = true;
    }
}

fn reader(text: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    reader
}

fn named_reference(raw: &str) -> Option<char> {
    Some(match raw {
        "&lt;" => '<',
        "&gt;" => '>',
        "&amp;" => '&',
        "&quot;" => '"',
        "&apos;" => '\'',
        _ => return None,
    })
}

/// The beginning of a text, for a note.
pub fn excerpt(text: &str) -> String {
    let text = text.trim();
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Byte, line and element of something in a text.
pub fn place(text: &str, at: usize, element: &str) -> Place {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    let place = Place { line: Some(1 + memchr::memchr_iter(b'\n', before).count() as u64), ..Place::byte(at) };
    if element.is_empty() { place } else { place.element(local(element)) }
}

/// Adds a note at byte `at` of a text. The line is only counted for the first occurrence, which alone keeps its place.
pub fn note<D: Into<String>>(
    text: &str,
    notes: &mut Notes,
    code: Code,
    at: usize,
    element: &str,
    detail: impl FnOnce() -> D,
) {
    let known = notes.get(code.id).is_some();
    notes.add(code, if known { Place::NOWHERE } else { place(text, at, element) }, detail);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(name: &str) -> u8 {
        match name {
            "seg" => 1,
            "pt" => 2,
            _ => 0,
        }
    }

    /// The steps of a document as text, for instance `a( 'x' )`.
    fn steps(text: &str) -> (String, Notes) {
        let mut cursor = Cursor::new(text, 4).ranked(rank);
        let mut out = String::new();
        loop {
            match cursor.step() {
                Step::Open(tag) => out += &format!("{}(", tag.name),
                Step::Close => out.push(')'),
                Step::Text(part) => out += part.trim(),
                Step::Char(c) => out.push(c),
                Step::End => return (out, cursor.notes),
            }
        }
    }

    #[test]
    fn prefixes_references_and_cdata() {
        let (out, notes) =
            steps("\u{feff} \0<?xml version='1.0'?><x:a><b/>1 &lt; 2 &#xE4;&nope; & <![CDATA[<i>]]></x:a>\0\n");
        assert_eq!(out, "a(b()1<2ä&nope;&<i>)");
        assert!(notes.is_empty(), "{notes:?}");
    }

    #[test]
    fn wrong_ends_are_survived() {
        let (out, notes) = steps("<a><b><c>1</b></x><d>2</d></a>");
        assert_eq!(out, "a(b(c(1))d(2))");
        assert_eq!(notes.get("xml.mismatch").unwrap().count, 2);
        assert_eq!(notes.get("xml.mismatch").unwrap().place.as_deref(), Some("line 1, byte 10, in b"));
        let (out, notes) = steps("<a><b>1</c><b>2</b></a>");
        assert_eq!((out.as_str(), notes.get("xml.mismatch").unwrap().count), ("a(b(1)b(2))", 1));
    }

    #[test]
    fn a_lost_end_tag_costs_no_more_than_its_element() {
        let (out, notes) = steps("<a><seg><pt><e>1<pt/><pt>2</pt></seg></a>");
        assert_eq!(out, "a(seg(pt(e(1))pt()pt(2)))");
        assert_eq!(notes.get("xml.mismatch").unwrap().place.as_deref(), Some("line 1, byte 16, in pt"));
        assert_eq!(notes.get("xml.mismatch").unwrap().detail, "pt begins before the end of pt");
        let (out, notes) = steps("<a><seg><pt><seg><pt/></seg><x:seg><x:pt><pt/></x:pt></x:seg></a>");
        assert_eq!(out, "a(seg(pt())seg(pt())seg(pt(pt())))");
        assert_eq!(notes.get("xml.mismatch").unwrap().count, 1);
        // A start tag whose name is damaged stands between the next point and its segment.
        let (out, notes) = steps("<a><seg><p><e>1</e></pt><pt>2</pt></seg></a>");
        assert_eq!(out, "a(seg(p(e(1))pt(2)))");
        assert_eq!(notes.get("xml.mismatch").unwrap().count, 2);
        let mut cursor = Cursor::new("<pt><e>1<pt><e>2</pt><pt><e>3</x></pt>", 9).ranked(rank);
        let mut closed = Vec::new();
        loop {
            match cursor.step() {
                Step::Close => closed.push(cursor.cut_short),
                Step::End => break,
                _ => {}
            }
        }
        assert_eq!(closed, [true, false, true, false, false, false]);
    }

    #[test]
    fn a_cut_document_gives_its_beginning() {
        let (out, notes) = steps("<a>\n<b>1</b>\n<b at");
        assert_eq!(out, "a(b(1)");
        assert_eq!(notes.get("xml.truncated").unwrap().place.as_deref(), Some("line 3, byte 13, in a"));
        assert_eq!(steps("<a><b>1</b>").1.get("xml.truncated").unwrap().detail, "the file ends before a is closed");
    }

    #[test]
    fn a_lost_quote_costs_one_element() {
        let (out, notes) = steps("<a><b x=\"1><c/></b><d y=\"2\">3</d></a>");
        assert_eq!(out, "a(c()d(3))");
        assert!(notes.get("xml.markup").is_some() && notes.get("xml.mismatch").is_some());
    }

    #[test]
    fn depth_is_limited() {
        let (out, notes) = steps("<a><b><c><d><e><f/>x</e></d></c></b>y</a>");
        assert_eq!(out, "a(b(c(d()))y)");
        assert_eq!(notes.get("xml.depth").unwrap().count, 2);
    }

    #[test]
    fn children_and_text_by_level() {
        let mut cursor = Cursor::new("<a><b>1<x>no</x>2</b><c><b>deep</b></c><b/></a>", 64);
        let root = cursor.child(0).unwrap();
        let mut found = Vec::new();
        while let Some(tag) = cursor.child(root.level) {
            if tag.name == "b" {
                found.push(cursor.text(&tag).unwrap().into_owned());
            }
        }
        assert_eq!(found, ["12", ""]);
    }
}
