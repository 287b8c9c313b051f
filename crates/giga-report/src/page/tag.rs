//! Elements of a page. Text and attributes are escaped as they go in and every element is closed, so that neither a
//! hostile name nor a forgotten end can break a page.

use std::fmt::{self, Display, Write as _};

/// An element with what is inside it.
#[derive(Debug, Clone)]
pub(crate) struct Tag {
    name: &'static str,
    attributes: String,
    inside: String,
}

/// A new element.
pub(crate) fn tag(name: &'static str) -> Tag {
    Tag { name, attributes: String::new(), inside: String::new() }
}

/// A new element of a class.
pub(crate) fn classed(name: &'static str, class: &str) -> Tag {
    tag(name).set("class", class)
}

/// A new element that holds a text.
pub(crate) fn said(name: &'static str, text: impl Display) -> Tag {
    tag(name).text(text)
}

impl Tag {
    /// Sets an attribute that is not set yet.
    pub(crate) fn set(mut self, key: &str, value: impl Display) -> Self {
        let value = escaped(&value.to_string());
        let _ = write!(self.attributes, " {key}=\"{value}\"");
        self
    }

    /// Adds text.
    pub(crate) fn text(mut self, text: impl Display) -> Self {
        self.inside.push_str(&escaped(&text.to_string()));
        self
    }

    /// Adds an element.
    pub(crate) fn put(mut self, child: impl Into<Option<Tag>>) -> Self {
        if let Some(child) = child.into() {
            let _ = write!(self.inside, "{child}");
        }
        self
    }

    /// Adds elements.
    pub(crate) fn all(self, children: impl IntoIterator<Item = Tag>) -> Self {
        children.into_iter().fold(self, Tag::put)
    }

    /// Adds what is ours and already as a page has it: the style, the script.
    pub(crate) fn raw(mut self, ours: &'static str) -> Self {
        self.inside.push_str(ours);
        self
    }
}

impl Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, attributes, inside } = self;
        write!(f, "<{name}{attributes}>{inside}</{name}>")
    }
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_comes_from_outside_is_an_element() {
        let hostile = "</td><script>'\"&";
        let cell = said("td", hostile).set("title", hostile);
        let safe = "&lt;/td&gt;&lt;script&gt;&#39;&quot;&amp;";
        assert_eq!(cell.to_string(), format!("<td title=\"{safe}\">{safe}</td>"));
        let row = tag("tr").all([said("td", 1), said("td", 2)]).put(None);
        assert_eq!(row.to_string(), "<tr><td>1</td><td>2</td></tr>");
    }
}
