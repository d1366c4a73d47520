//! Packet lines: four hexadecimal digits of length, then the data. Format: <https://git-scm.com/docs/protocol-common#_pkt_line_format>.

use std::io::{BufRead, Error, ErrorKind, Read, Result};

/// The largest packet there may be, its length included.
const LARGEST: usize = 65_520;

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Packet<'a> {
    Line(&'a [u8]),
    /// A flush, a delimiter or an end of response: none has data.
    Mark,
}

pub(super) fn line(text: &str) -> String {
    format!("{:04x}{text}", text.len() + 4)
}

/// Reads packets, one at a time.
pub(super) struct Packets<R> {
    input: R,
    buffer: Vec<u8>,
}

impl<R: Read> Packets<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, buffer: Vec::new() }
    }

    /// The next packet; nothing at the end of the input.
    pub(super) fn next(&mut self) -> Result<Option<Packet<'_>>> {
        let mut length = [0; 4];
        match self.input.read(&mut length)? {
            0 => return Ok(None),
            read => self.input.read_exact(&mut length[read..])?,
        }
        let malformed = || Error::new(ErrorKind::InvalidData, "a packet has no length");
        let length = std::str::from_utf8(&length).ok().and_then(|digits| usize::from_str_radix(digits, 16).ok()).ok_or_else(malformed)?;
        match length {
            0..=2 => Ok(Some(Packet::Mark)),
            4..=LARGEST => {
                self.buffer.resize(length - 4, 0);
                self.input.read_exact(&mut self.buffer)?;
                Ok(Some(Packet::Line(&self.buffer)))
            }
            _ => Err(malformed()),
        }
    }
}

/// The bytes of a pack, taken out of the packets' first band. What the server says on the second band is for a person at git's terminal.
pub(super) struct Band<R> {
    packets: Packets<R>,
    at: usize,
    length: usize,
}

impl<R: Read> Band<R> {
    pub(super) fn new(packets: Packets<R>) -> Self {
        Self { packets, at: 0, length: 0 }
    }
}

impl<R: Read> Read for Band<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let mut available = self.fill_buf()?;
        let read = available.read(into)?;
        self.consume(read);
        Ok(read)
    }
}

impl<R: Read> BufRead for Band<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        while self.at == self.length {
            (self.at, self.length) = match self.packets.next()? {
                Some(Packet::Line([1, data @ ..])) => (1, data.len() + 1),
                Some(Packet::Line([2, ..])) => continue,
                Some(Packet::Line([3, message @ ..])) => return Err(Error::other(String::from_utf8_lossy(message).trim().to_owned())),
                Some(Packet::Line(_)) => return Err(Error::new(ErrorKind::InvalidData, "a packet is on no band")),
                Some(Packet::Mark) | None => return Ok(&[]),
            };
        }
        Ok(&self.packets.buffer[self.at..self.length])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

#[cfg(test)]
mod tests {
    use super::{Band, Packet, Packets, line};
    use std::io::Read as _;

    #[test]
    fn reads_what_is_written() {
        let text = format!("{}0000{}0001", line("one"), line(""));
        let mut packets = Packets::new(text.as_bytes());
        assert_eq!(packets.next().unwrap(), Some(Packet::Line(b"one")));
        assert_eq!(packets.next().unwrap(), Some(Packet::Mark));
        assert_eq!(packets.next().unwrap(), Some(Packet::Line(b"")));
        assert_eq!(packets.next().unwrap(), Some(Packet::Mark));
        assert_eq!(packets.next().unwrap(), None);
        for wrong in ["00", "0003", "zzzz", "0009ab", "fff5"] {
            Packets::new(wrong.as_bytes()).next().unwrap_err();
        }
    }

    #[test]
    fn takes_the_pack_out_of_its_band() {
        let text = format!("{}{}{}{}0000", line("\u{1}PA"), line("\u{2}counting"), line("\u{1}"), line("\u{1}CK"));
        let mut pack = String::new();
        Band::new(Packets::new(text.as_bytes())).read_to_string(&mut pack).unwrap();
        assert_eq!(pack, "PACK");
        let refused = line("\u{3}out of memory\n");
        let error = Band::new(Packets::new(refused.as_bytes())).read_to_string(&mut pack).unwrap_err();
        assert_eq!(error.to_string(), "out of memory");
    }
}
