//! `robots.txt` and sitemaps: addresses that a site tells itself.

use url::Url;

/// Of one file no more addresses are taken.
const MOST: usize = 2000;

/// What `robots.txt` names: paths without patterns, allowed or not, and sitemaps. What a search engine must not show is what a scan is for.
pub(super) fn robots(base: &Url, text: &str) -> (Vec<Url>, Vec<Url>) {
    let (mut paths, mut sitemaps) = (Vec::new(), Vec::new());
    for line in text.lines().take(MOST) {
        let Some((field, value)) = line.split('#').next().unwrap_or_default().split_once(':') else { continue };
        let value = value.trim();
        match field.trim().to_ascii_lowercase().as_str() {
            "allow" | "disallow" if value.starts_with('/') && !value.contains(['*', '$']) => paths.extend(base.join(value)),
            "sitemap" => sitemaps.extend(base.join(value)),
            _ => {}
        }
    }
    (paths, sitemaps)
}

/// The addresses of a sitemap, and whether they are sitemaps themselves.
pub(super) fn locations(base: &Url, text: &str) -> (Vec<Url>, bool) {
    let pieces = text.split("<loc>").skip(1).take(MOST).filter_map(|piece| piece.split_once("</loc>"));
    let urls = pieces.filter_map(|(inside, _)| base.join(inside.trim().replace("&amp;", "&").as_str()).ok());
    (urls.collect(), text.contains("<sitemapindex"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_sitemaps_are_read() {
        let base: Url = "http://h/".parse().unwrap();
        let (paths, sitemaps) =
            robots(&base, "User-agent: *\nDisallow: /admin/ # not for you\nDisallow: /*.pdf$\nDisallow:\nALLOW:/open\nSitemap: http://h/s.xml\n");
        assert_eq!(paths.iter().map(Url::path).collect::<Vec<_>>(), ["/admin/", "/open"]);
        assert_eq!(sitemaps.iter().map(Url::as_str).collect::<Vec<_>>(), ["http://h/s.xml"]);
        let (urls, index) = locations(&base, "<urlset><url><loc> http://h/a?x=1&amp;y=2 </loc></url><url><loc>/b</loc></url><loc>open");
        assert_eq!((urls.iter().map(Url::as_str).collect::<Vec<_>>(), index), (vec!["http://h/a?x=1&y=2", "http://h/b"], false));
    }
}
