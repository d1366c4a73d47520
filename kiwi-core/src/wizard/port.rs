//! Where a program listens, as far as its source says so.

/// What stands right before the number in the source of programs that listen.
const BEFORE: [&str; 25] = [
    "listen(",
    "PORT || ",
    "PORT ?? ",
    "PORT||",
    "PORT??",
    "PORT) || ",
    "PORT) ?? ",
    "PORT', ",
    "PORT\", ",
    "PORT\", \"",
    "PORT', '",
    "PORT\") ?: \"",
    "port:",
    "port =",
    "port=",
    "PORT =",
    "PORT=",
    "Addr: \":",
    "(\":",
    "0.0.0.0:",
    "[::]:",
    "Port(",
    "0, 0, 0, 0], ",
    "server.port=",
    "--port ",
];

/// The first port that a source names, if it may be used without being root.
pub(super) fn in_source(source: &str) -> Option<u16> {
    let found = BEFORE.iter().filter_map(|before| {
        source.match_indices(before).find_map(|(at, _)| {
            let rest = &source[at + before.len()..];
            let rest = rest.trim_start().trim_start_matches(['"', '\'', '`', '(', ':']);
            let digits: String = rest.chars().take_while(char::is_ascii_digit).take(6).collect();
            let port = digits.parse().ok().filter(|port| *port >= 1024)?;
            Some((at, port))
        })
    });
    found.min().map(|(_, port)| port)
}

#[cfg(test)]
mod tests {
    use super::in_source;

    #[test]
    fn ports_are_found_where_programs_name_them() {
        for (source, port) in [
            ("app.listen(4000, () => {})", Some(4000)),
            ("const port = process.env.PORT || 5000;", Some(5000)),
            ("http.ListenAndServe(\":9090\", nil)", Some(9090)),
            ("r.Run(\":8081\")", Some(8081)),
            ("TcpListener::bind(\"0.0.0.0:3001\")", Some(3001)),
            ("SocketAddr::from(([0, 0, 0, 0], 3002))", Some(3002)),
            ("app.run(host='0.0.0.0', port=5001)", Some(5001)),
            ("server.port=9000", Some(9000)),
            ("fastify.listen({port:3003,host:'0.0.0.0'})", Some(3003)),
            ("app.listen(80)", None),
            ("app.listen(port)", None),
            ("listen(99999999999)", None),
            ("port = parse()", None),
        ] {
            assert_eq!(in_source(source), port, "{source}");
        }
    }
}
