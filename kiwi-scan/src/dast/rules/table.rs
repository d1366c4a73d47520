//! The rules as data.

use super::{Rule, Scope};
use kiwi_core::domain::Severity;

macro_rules! table {
    ($($name:ident $id:literal $severity:ident $cwe:literal $scope:ident $probe:literal, $title:literal, $explanation:literal, $fix:literal;)*) => {
        $(pub(in crate::dast) const $name: Rule = Rule {
            id: $id, severity: Severity::$severity, cwe: $cwe, scope: Scope::$scope, probe: $probe, title: $title, explanation: $explanation, fix: $fix,
        };)*
        pub(super) const ALL: &[Rule] = &[$($name),*];
    };
}

// Name, id, severity, weakness, scope, whether it needs probes; title, explanation, fix.
table! {
    CSP_MISSING "csp-missing" Medium 693 Site false, "No Content Security Policy",
        "A script that gets into a page runs with all that the page may do.",
        "Send `Content-Security-Policy` with `default-src 'self'`, and name there what else the pages need.";
    CSP_UNSAFE_INLINE "csp-unsafe-inline" Medium 693 Site false, "The Content Security Policy allows inline scripts",
        "With `'unsafe-inline'` it does not stop a script that gets into a page.",
        "Move scripts into files, or give each a nonce or a hash, and take `'unsafe-inline'` out of the sources of scripts.";
    CSP_UNSAFE_EVAL "csp-unsafe-eval" Low 693 Site false, "The Content Security Policy allows `eval`",
        "With `'unsafe-eval'` a text that somebody sends may become a script.",
        "Replace what needs `eval`, and take `'unsafe-eval'` out of the sources of scripts.";
    CSP_WILDCARD "csp-wildcard" Medium 693 Site false, "The Content Security Policy allows scripts from anywhere",
        "A policy that does not restrict scripts, or allows `*`, `http:`, `https:` or `data:`, protects from nothing.",
        "Name the hosts of scripts one by one in `script-src`, or use nonces with `'strict-dynamic'`.";
    HSTS_MISSING "hsts-missing" Medium 319 Site false, "No Strict-Transport-Security",
        "A browser that is told `http://` first goes there, and whoever is between can answer.",
        "Send `Strict-Transport-Security: max-age=31536000` with every answer over https.";
    CONTENT_TYPE_OPTIONS_MISSING "content-type-options-missing" Low 693 Site false, "No X-Content-Type-Options",
        "A browser may take an uploaded file for a page or a script, whatever its type says.",
        "Send `X-Content-Type-Options: nosniff` with every answer.";
    FRAME_OPTIONS_MISSING "frame-options-missing" Medium 1021 Site false, "Other sites may put the pages into a frame",
        "A click on another site can be led to a button of this one.",
        "Send `frame-ancestors 'none'` or `'self'` in `Content-Security-Policy`, or `X-Frame-Options: DENY`.";
    REFERRER_POLICY_MISSING "referrer-policy-missing" Info 200 Site false, "No Referrer-Policy",
        "What other sites learn of the pages' addresses is left to each browser.",
        "Send `Referrer-Policy: strict-origin-when-cross-origin` or a stricter one.";
    REFERRER_POLICY_UNSAFE "referrer-policy-unsafe" Low 200 Site false, "The Referrer-Policy tells whole addresses",
        "With `unsafe-url` or `no-referrer-when-downgrade` other sites learn paths and queries.",
        "Send `Referrer-Policy: strict-origin-when-cross-origin` or a stricter one.";
    PERMISSIONS_POLICY_MISSING "permissions-policy-missing" Info 693 Site false, "No Permissions-Policy",
        "Scripts and frames of others may ask for camera, microphone and place.",
        "Send `Permissions-Policy` with an empty list for each feature that the pages do not need.";

    COOKIE_WITHOUT_SECURE "cookie-without-secure" Medium 614 Site false, "A cookie without Secure",
        "The browser also sends it over http, where others can read it.",
        "Set it with `Secure`.";
    COOKIE_WITHOUT_HTTPONLY "cookie-without-httponly" Medium 1004 Site false, "A session cookie without HttpOnly",
        "A script that gets into a page can take the session.",
        "Set it with `HttpOnly`.";
    COOKIE_WITHOUT_SAMESITE "cookie-without-samesite" Low 1275 Site false, "A cookie without SameSite",
        "Whether it comes along with requests that other sites cause is left to each browser.",
        "Set it with `SameSite=Lax` or `SameSite=Strict`.";
    COOKIE_SAMESITE_NONE "cookie-samesite-none-insecure" Medium 1275 Site false, "A cookie with SameSite=None and without Secure",
        "Browsers refuse it, and older ones send it along from every site.",
        "Add `Secure`, or use `SameSite=Lax`.";
    COOKIE_WIDE_DOMAIN "cookie-wide-domain" Low 668 Site false, "A cookie for more hosts than this one",
        "Every other host of the domain gets it and can set it.",
        "Leave `Domain` out, so that it is this host's alone.";

    CORS_WILDCARD_CREDENTIALS "cors-wildcard-with-credentials" Low 942 Site false, "CORS allows every origin together with credentials",
        "Browsers refuse `*` with credentials; the next repair of it may allow everybody.",
        "Name the allowed origins, or leave `Access-Control-Allow-Credentials` out.";
    CORS_NULL "cors-null-origin" Medium 942 Site false, "CORS allows the origin null",
        "Every site can send from the origin `null`, with a frame in a sandbox.",
        "Name the allowed origins; `null` is nobody's.";
    CORS_REFLECTED "cors-reflected-origin" High 942 Page true, "CORS allows any origin together with credentials",
        "Every site can read what the signed-in user can read here.",
        "Compare the `Origin` with a list of allowed ones before it is sent back.";

    MIXED_CONTENT_ACTIVE "mixed-content-active" Medium 319 Page false, "An https page loads a script, style sheet or frame over http",
        "Browsers block it; where they do not, whoever is between can change the page.",
        "Load it over https.";
    MIXED_CONTENT_PASSIVE "mixed-content-passive" Low 319 Page false, "An https page loads an image or other media over http",
        "Whoever is between sees and can replace it.",
        "Load it over https.";
    FORM_OVER_HTTP "form-over-http" Medium 319 Page false, "An https page has a form that sends over http",
        "What is typed there can be read on its way.",
        "Let the form's action be https.";
    PASSWORD_OVER_HTTP "password-over-http" High 319 Page false, "A password is asked for over http",
        "It can be read on its way, and the page can be replaced.",
        "Serve the page over https, and redirect http to it.";
    PASSWORD_BY_GET "password-by-get" Medium 598 Page false, "A form sends a password in the address",
        "It ends in the browser's history and in the logs of servers.",
        "Use `method=\"post\"`.";

    TLS_EXPIRED "tls-certificate-expired" High 295 Site false, "The certificate has expired or is not valid yet",
        "Browsers refuse the site, and users who go on cannot tell it from a false one.",
        "Renew the certificate, and let a program renew it from now on.";
    TLS_NAME "tls-certificate-name" High 297 Site false, "The certificate is for another name",
        "Browsers refuse the site, and users who go on cannot tell it from a false one.",
        "Get a certificate for the host's name.";
    TLS_UNTRUSTED "tls-certificate-untrusted" High 295 Site false, "The certificate is from an authority that nobody here trusts",
        "It may be self-signed, or lack an intermediate certificate; users who go on cannot tell the site from a false one.",
        "Use a certificate of a known authority and send its whole chain, or give the scan your own authority's certificate.";
    TLS_INVALID "tls-certificate-invalid" High 295 Site false, "The certificate is not valid for a server",
        "Browsers refuse the site, and users who go on cannot tell it from a false one.",
        "Replace the certificate.";

    CACHE_PRIVATE_PAGE "cache-private-page" Low 525 Site false, "A private page may be cached",
        "It sets a session or was asked for with credentials, and a cache between may hand it to somebody else.",
        "Send `Cache-Control: no-store`, or `private`.";
    ERROR_STACK_TRACE "error-stack-trace" Medium 209 Page false, "A page shows a stack trace",
        "It tells paths, libraries and code to whoever causes an error.",
        "Switch the debug mode off, log errors, and show a page without details.";
    ERROR_SQL "error-sql" Medium 209 Page false, "A page shows an error of the database",
        "It tells the database and its queries, and often shows where SQL can be injected.",
        "Log the error, show a page without details, and bind parameters instead of joining texts.";
    DIRECTORY_LISTING "directory-listing" Medium 548 Page false, "A directory is listed",
        "Everybody sees every file in it, also those that nothing links to.",
        "Switch the listing of directories off.";
    VERSION_DISCLOSURE "version-disclosure" Low 200 Site false, "A header tells the version of the server's software",
        "It tells which known weaknesses to try.",
        "Leave the header, or the version in it, out.";
    SOURCE_MAP "source-map" Info 540 Page false, "A script's source map is public",
        "It has the script's sources with their comments.",
        "Do not publish source maps, unless the sources are public too.";
    INTEGRITY_MISSING "integrity-missing" Low 353 Site false, "A file of another origin is loaded without integrity",
        "Whoever can change it there can change the pages here.",
        "Add `integrity` with the file's hash and `crossorigin`, or serve it from here.";

    EXPOSED_GIT "exposed-git" High 527 Page false, "The git repository is public",
        "All sources can be fetched with their history and what was ever committed.",
        "Keep `.git` out of what is served, and change the credentials that were ever in it.";
    EXPOSED_ENV "exposed-env" Critical 538 Page false, "A file of environment variables is public",
        "Such files hold passwords and keys.",
        "Keep it out of what is served, and change every secret in it.";
    EXPOSED_SVN "exposed-svn" High 527 Page false, "The Subversion directory is public",
        "It tells all files, and often their contents.",
        "Keep `.svn` out of what is served.";
    EXPOSED_DS_STORE "exposed-ds-store" Low 538 Page false, "A .DS_Store is public",
        "It tells the names of the files beside it.",
        "Keep it out of what is served.";
    EXPOSED_HTPASSWD "exposed-htpasswd" High 538 Page false, "A file of password hashes is public",
        "Short passwords can be found from their hashes.",
        "Keep it out of what is served, and change the passwords.";
    EXPOSED_BACKUP "exposed-backup" High 530 Page false, "A backup is public",
        "It has sources or data that the application itself would not show.",
        "Keep backups out of what is served, and change the credentials in it.";
    EXPOSED_SERVER_STATUS "exposed-server-status" Medium 497 Page false, "The web server's status is public",
        "It tells who asks for what at this moment.",
        "Restrict it to the machines that watch the server.";
    EXPOSED_ACTUATOR "exposed-actuator-env" High 497 Page false, "The actuator's environment is public",
        "It tells the application's configuration, and sometimes its secrets.",
        "Expose `health` alone, or ask for a sign-in.";
    EXPOSED_PPROF "exposed-pprof" Medium 489 Page false, "Go's profiler is public",
        "It tells memory and command line, and a profile slows the program down.",
        "Serve `/debug/pprof` on a port that only operators reach.";
    EXPOSED_PHPINFO "exposed-phpinfo" Medium 497 Page false, "A page of phpinfo() is public",
        "It tells the configuration and the environment variables.",
        "Remove the page.";

    REFLECTED_INPUT "reflected-input" High 79 Page true, "A parameter comes back as HTML",
        "A link with a script in the parameter runs it in the name of whoever opens it.",
        "Encode the value for where it stands, best by a template engine that always does.";
    OPEN_REDIRECT "open-redirect" Medium 601 Page true, "A parameter leads to any other site",
        "A link that begins with this site's name can end at a false one.",
        "Redirect to paths of this site alone, or to a list of known sites.";
}
