//! Start tags: names, prefixes, attributes.

use std::borrow::Cow;
use std::ops::Range;

/// A start tag.
#[derive(Debug, Clone, Copy)]
pub struct Tag<'a> {
    /// Prefix of the name; empty without one.
    pub prefix: &'a str,
    /// Name without prefix.
    pub name: &'a str,
    /// What stands between the name and the end of the tag.
    pub attributes: &'a str,
    /// Byte offset of its `<`.
    pub at: usize,
    /// How many elements are open inside it, itself included.
    pub level: usize,
}

impl<'a> Tag<'a> {
    /// The value of the attribute with this local name.
    pub fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        attribute(self.attributes, name)
    }

    /// Where its local name stands in the text.
    pub fn name_at(&self) -> Range<usize> {
        let prefix = if self.prefix.is_empty() { 0 } else { self.prefix.len() + 1 };
        let start = self.at + 1 + prefix;
        start..start + self.name.len()
    }

    /// Where its attributes stand in the text.
    pub fn attributes_at(&self) -> Range<usize> {
        let start = self.name_at().end;
        start..start + self.attributes.len()
    }
}

/// Prefix and local part of a name. A colon that begins a name is part of it.
#[inline]
pub fn split(name: &str) -> (&str, &str) {
    name.rsplit_once(':').filter(|(prefix, _)| !prefix.is_empty()).unwrap_or(("", name))
}

/// The name behind the prefix.
#[inline]
pub fn local(name: &str) -> &str {
    split(name).1
}

/// The prefix that a start tag declares for a namespace.
pub fn prefix_of<'a>(tag: &Tag<'a>, uri: &str) -> Option<&'a str> {
    let (before, _) = tag.attributes.split_once(uri)?;
    let (_, prefix) = before.trim_end_matches(['"', '\'']).trim_ascii_end().strip_suffix('=')?.rsplit_once("xmlns:")?;
    Some(prefix.trim_ascii())
}

/// Local names and raw values of the attributes in a start tag, as far as they can be told apart; no declarations.
pub fn attributes(raw: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        loop {
            let equals = memchr::memchr(b'=', rest.as_bytes())?;
            let name = rest[..equals].trim_ascii();
            let name = name.rsplit(|c: char| c.is_ascii_whitespace()).next().unwrap_or(name);
            let value = rest[equals + 1..].trim_ascii_start();
            let quote = *value.as_bytes().first().filter(|q| matches!(q, b'"' | b'\''))?;
            let value = &value[1..];
            let end = memchr::memchr(quote, value.as_bytes())?;
            rest = &value[end + 1..];
            if !name.starts_with("xmlns") {
                return Some((local(name), &value[..end]));
            }
        }
    })
}

/// The value of the attribute with this local name, references resolved.
pub fn attribute<'a>(raw: &'a str, name: &str) -> Option<Cow<'a, str>> {
    attributes(raw).find(|(found, _)| *found == name).map(|(_, value)| unescape(value))
}

/// An attribute value with its references resolved, as far as they can be.
pub fn unescape(value: &str) -> Cow<'_, str> {
    if value.contains('&') { quick_xml::escape::unescape(value).unwrap_or(Cow::Borrowed(value)) } else { value.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_in_any_style() {
        let raw = " lat='1.5'\n x:lon = \"-2\" name=\"a &amp; b\"";
        assert_eq!(attribute(raw, "lat").as_deref(), Some("1.5"));
        assert_eq!(attribute(raw, "lon").as_deref(), Some("-2"));
        assert_eq!(attribute(raw, "name").as_deref(), Some("a & b"));
        assert_eq!(attribute(raw, "ele"), None);
        assert_eq!(attributes(" lat=5 lon=\"6\"").count(), 0);
    }

    #[test]
    fn declarations_name_a_prefix() {
        let attributes = " creator=\"x\" xmlns:gpx = 'urn:a' xmlns:pp=\"urn:paceport:1\" lat=\"1\"";
        let tag = Tag { prefix: "", name: "gpx", attributes, at: 0, level: 1 };
        assert_eq!(prefix_of(&tag, "urn:paceport:1"), Some("pp"));
        assert_eq!(prefix_of(&tag, "urn:a"), Some("gpx"));
        assert_eq!(prefix_of(&tag, "urn:b"), None);
        assert_eq!(tag.attribute("lat").as_deref(), Some("1"));
        assert_eq!(tag.attribute("pp"), None, "a declaration is no attribute");
    }
}
