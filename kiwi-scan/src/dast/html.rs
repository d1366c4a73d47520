//! What a page of HTML leads to.
//!
//! Read as tokens, without a tree: nesting costs nothing, however deep it is, and what is looked for are tags and their attributes. html5gum follows the
//! standard's tokenizer and has no dependencies; a tree builder would add a dozen and hold every page in memory as nodes.

use html5gum::{DefaultEmitter, StartTag, Token, Tokenizer};
use std::collections::HashSet;
use url::Url;

/// Of one page no more references are kept.
const MOST_REFERENCES: usize = 5000;
/// Longer addresses and values are nobody's.
const LONGEST: usize = 4096;

/// What a page loads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    Script,
    Style,
    Frame,
    Media,
}

#[derive(Debug)]
pub(super) struct Resource {
    pub(super) url: Url,
    pub(super) load: Load,
    /// Whether the page says the file's hash.
    pub(super) integrity: bool,
}

#[derive(Debug)]
pub(super) struct Form {
    pub(super) action: Url,
    pub(super) get: bool,
    /// Names with the values that the page gives.
    pub(super) fields: Vec<(String, String)>,
    pub(super) password: bool,
}

#[derive(Debug, Default)]
pub(super) struct Document {
    pub(super) title: String,
    pub(super) links: Vec<Url>,
    pub(super) resources: Vec<Resource>,
    pub(super) forms: Vec<Form>,
    /// Whether a password is asked for, in a form or outside.
    pub(super) password: bool,
    /// Content Security Policies that the page itself has.
    pub(super) policies: Vec<String>,
    pub(super) referrer: Option<String>,
    /// References that were too many to keep.
    pub(super) dropped: usize,
}

impl Document {
    /// Reads a page of this address.
    pub(super) fn read(url: &Url, text: &str) -> Self {
        let mut reader = Reader { base: url.clone(), page: url.clone(), document: Self::default(), links: HashSet::new(), form: None, title: false };
        for token in tokens(text) {
            reader.token(token);
        }
        reader.close_form();
        reader.document
    }
}

/// The tokens of a text, in which scripts, styles and titles are texts.
pub(super) fn tokens(text: &str) -> impl Iterator<Item = Token> {
    let mut emitter = DefaultEmitter::default();
    emitter.naively_switch_states(true);
    Tokenizer::new_with_emitter(text, emitter).filter_map(Result::ok)
}

/// An attribute's value, without the space around it.
pub(super) fn attribute(tag: &StartTag<()>, name: &str) -> Option<String> {
    let value = tag.attributes.get(name.as_bytes())?;
    (value.len() <= LONGEST).then(|| String::from_utf8_lossy(value).trim().to_owned())
}

struct Reader {
    base: Url,
    page: Url,
    document: Document,
    /// Links that are kept already, as they were written.
    links: HashSet<String>,
    form: Option<Form>,
    title: bool,
}

impl Reader {
    fn token(&mut self, token: Token) {
        match token {
            Token::StartTag(tag) => self.tag(&tag),
            Token::EndTag(tag) => {
                if tag.name.as_slice() == b"form" {
                    self.close_form();
                }
                self.title = false;
            }
            Token::String(text) if self.title && self.document.title.len() < LONGEST => {
                self.document.title.push_str(&String::from_utf8_lossy(&text));
            }
            _ => {}
        }
    }

    fn tag(&mut self, tag: &StartTag<()>) {
        match tag.name.as_slice() {
            b"title" => self.title = self.document.title.is_empty(),
            b"base" => {
                if let Some(base) = attribute(tag, "href").and_then(|href| self.page.join(&href).ok()) {
                    self.base = base;
                }
            }
            b"a" | b"area" => self.link(attribute(tag, "href")),
            b"iframe" | b"frame" => self.resource(tag, "src", Load::Frame),
            b"script" => self.resource(tag, "src", Load::Script),
            b"img" | b"audio" | b"video" | b"source" => self.resource(tag, "src", Load::Media),
            b"link" => self.relation(tag),
            b"meta" => self.meta(tag),
            b"form" => self.open_form(tag),
            b"input" | b"select" | b"textarea" | b"button" => self.field(tag),
            _ => {}
        }
    }

    fn address(&mut self, text: Option<String>) -> Option<Url> {
        let mut url = self.base.join(&text?).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
        url.set_fragment(None);
        if self.document.links.len() + self.document.resources.len() + self.document.forms.len() < MOST_REFERENCES {
            return Some(url);
        }
        self.document.dropped += 1;
        None
    }

    fn link(&mut self, text: Option<String>) {
        let Some(text) = text.filter(|text| !self.links.contains(text)) else { return };
        if let Some(url) = self.address(Some(text.clone())) {
            self.links.insert(text);
            self.document.links.push(url);
        }
    }

    fn resource(&mut self, tag: &StartTag<()>, name: &str, load: Load) {
        if let Some(url) = self.address(attribute(tag, name)) {
            self.document.resources.push(Resource { url, load, integrity: attribute(tag, "integrity").is_some_and(|value| !value.is_empty()) });
        }
    }

    fn relation(&mut self, tag: &StartTag<()>) {
        let relation = attribute(tag, "rel").unwrap_or_default().to_ascii_lowercase();
        let has = |name: &str| relation.split_ascii_whitespace().any(|word| word == name);
        if has("stylesheet") {
            self.resource(tag, "href", Load::Style);
        } else if has("icon") {
            self.resource(tag, "href", Load::Media);
        } else if ["next", "prev", "alternate", "canonical", "help"].into_iter().any(has) {
            self.link(attribute(tag, "href"));
        }
    }

    fn meta(&mut self, tag: &StartTag<()>) {
        let content = attribute(tag, "content").unwrap_or_default();
        let names = [attribute(tag, "http-equiv"), attribute(tag, "name")].map(|name| name.unwrap_or_default().to_ascii_lowercase());
        match [names[0].as_str(), names[1].as_str()] {
            ["content-security-policy", _] => self.document.policies.push(content),
            ["refresh", _] => {
                let target = content.split_once(['=']).filter(|(before, _)| before.trim_end().to_ascii_lowercase().ends_with("url"));
                self.link(target.map(|(_, target)| target.trim_matches([' ', '\'', '"']).to_owned()));
            }
            [_, "referrer"] => self.document.referrer = Some(content),
            _ => {}
        }
    }

    fn open_form(&mut self, tag: &StartTag<()>) {
        self.close_form();
        let get = attribute(tag, "method").is_none_or(|method| !method.eq_ignore_ascii_case("post") && !method.eq_ignore_ascii_case("dialog"));
        // Without an action it is sent to the page itself.
        let action = attribute(tag, "action").filter(|action| !action.is_empty()).unwrap_or_else(|| self.page.to_string());
        self.form = self.address(Some(action)).map(|action| Form { action, get, fields: Vec::new(), password: false });
    }

    fn field(&mut self, tag: &StartTag<()>) {
        let kind = attribute(tag, "type").unwrap_or_default().to_ascii_lowercase();
        let password = tag.name.as_slice() == b"input" && kind == "password";
        self.document.password |= password;
        let Some(form) = &mut self.form else { return };
        form.password |= password;
        let Some(name) = attribute(tag, "name").filter(|name| !name.is_empty()) else { return };
        if !matches!(kind.as_str(), "file" | "reset" | "image") && form.fields.len() < 100 {
            form.fields.push((name, attribute(tag, "value").unwrap_or_default()));
        }
    }

    fn close_form(&mut self) {
        self.document.forms.extend(self.form.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Document {
        Document::read(&"https://shop.test/a/b".parse().unwrap(), text)
    }

    #[test]
    fn links_forms_and_files_are_found_in_broken_html() {
        let page = read(
            "<title>A &amp; B</title><base href='/x/'><a href=one>1<a href=' two?a=1&amp;b=2 '><a href='javascript:alert(1)'><script>'<a href=no>'</script>\
             <form action=find><input name=q value=v><input type=password name=p></form><form method=POST action=/post><input name=z>\
             <script src=//cdn.test/x.js integrity=sha384-x></script><link rel='STYLESHEET' href=/s.css><meta http-equiv=refresh content='0; URL=/later'><img src=i.png",
        );
        let links: Vec<&str> = page.links.iter().map(Url::as_str).collect();
        assert_eq!(links, ["https://shop.test/x/one", "https://shop.test/x/two?a=1&b=2", "https://shop.test/later"]);
        assert_eq!(page.title, "A & B");
        let [find, post] = &page.forms[..] else { panic!("{:?}", page.forms) };
        assert_eq!((find.action.as_str(), find.get, find.password, find.fields.len()), ("https://shop.test/x/find", true, true, 2));
        assert!(!post.get && page.password);
        assert_eq!(
            page.resources.iter().map(|resource| (resource.url.as_str(), resource.integrity)).collect::<Vec<_>>(),
            [("https://cdn.test/x.js", true), ("https://shop.test/s.css", false)]
        );
    }

    #[test]
    fn depth_and_number_cost_little() {
        let deep = read(&"<div>".repeat(100_000));
        assert!(deep.links.is_empty());
        let many = read(&(0..20_000).map(|n| format!("<a href=/{n}>")).collect::<String>());
        assert_eq!((many.links.len(), many.dropped), (MOST_REFERENCES, 15_000));
        let same = read(&"<a href=/again#there>".repeat(20_000));
        assert_eq!((same.links.len(), same.dropped), (1, 0));
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_broken(pieces in proptest::collection::vec("(<|</|>|a|form|base|meta|input|script|title| href=| src=| action=| content=|'|\"|&#|&amp|;|<!--|-->|\\PC){1,4}", 0..60)) {
            let text = pieces.concat();
            let page = read(&text);
            proptest::prop_assert!(page.links.len() <= pieces.len() * 4);
            proptest::prop_assert!(tokens(&text).count() <= text.len() * 3 + 3);
        }
    }
}
