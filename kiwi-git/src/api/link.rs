//! The `Link` header (<https://www.rfc-editor.org/rfc/rfc8288#section-3>).

/// The target of the first link of this relation. Never panics, whatever the header holds.
pub fn target<'a>(header: &'a str, relation: &str) -> Option<&'a str> {
    let mut rest = header;
    while let Some((_, after)) = rest.split_once('<') {
        let (target, after) = after.split_once('>')?;
        // Parameters go on to the next link; a comma inside quotes does not end them.
        let mut quoted = false;
        let end = after.char_indices().find(|(_, c)| {
            quoted ^= *c == '"';
            !quoted && *c == ','
        });
        let (parameters, next) = after.split_at(end.map_or(after.len(), |(at, _)| at));
        let found = parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("rel") && value.trim().trim_matches('"').split_whitespace().any(|word| word.eq_ignore_ascii_case(relation))
        });
        if found {
            return Some(target);
        }
        rest = next;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::target;
    use proptest::prelude::*;

    #[test]
    fn finds_the_relation() {
        let header = "<https://api.example.com/a?page=1>; rel=\"prev\", <https://api.example.com/a?page=3&x=a,b>; title=\"a, b\"; rel=\"last next\"";
        assert_eq!(target(header, "next"), Some("https://api.example.com/a?page=3&x=a,b"));
        assert_eq!(target(header, "prev"), Some("https://api.example.com/a?page=1"));
        assert_eq!(target(header, "first"), None);
        assert_eq!(target("</relative>; REL=next", "next"), Some("/relative"));
        for text in ["", "<", "<x", "<x>", "<x>;", "<x>; rel", "x; rel=next", "<a>; rel=\"next"] {
            let _ = target(text, "next");
        }
    }

    proptest! {
        #[test]
        fn never_panics(text in "[<>;,=\" a-z\\PC]{0,60}") {
            let _ = target(&text, "next");
        }
    }
}
