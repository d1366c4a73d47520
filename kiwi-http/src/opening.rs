//! The first bytes of a connection: until they are there nobody knows which version of HTTP it speaks, and nobody waits for them for ever.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, ReadBuf};

/// How a connection of HTTP/2 begins (RFC 9113, 3.4); one that begins otherwise is of HTTP/1.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A connection whose first bytes were read, and are read once more.
#[derive(Debug)]
pub(crate) struct Opened<S> {
    stream: S,
    first: [u8; PREFACE.len()],
    /// How many of them came, and how many were given on.
    came: usize,
    given: usize,
}

impl<S: AsyncRead + Unpin> Opened<S> {
    /// Waits for so many bytes that the version is known; none when the client ends before.
    pub(crate) async fn read(mut stream: S) -> io::Result<Option<Self>> {
        let (mut first, mut came) = ([0; PREFACE.len()], 0);
        while came < first.len() && first[..came] == PREFACE[..came] {
            match stream.read(&mut first[came..]).await? {
                0 => return Ok(None),
                more => came += more,
            }
        }
        Ok(Some(Self { stream, first, came, given: 0 }))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opened<S> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.given == this.came {
            return Pin::new(&mut this.stream).poll_read(context, buffer);
        }
        let rest = &this.first[this.given..this.came];
        let now = rest.len().min(buffer.remaining());
        buffer.put_slice(&rest[..now]);
        this.given += now;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opened<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[io::IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::AsyncWriteExt as _;

    #[tokio::test]
    async fn the_first_bytes_are_given_on_as_they_came() {
        for bytes in [&b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"[..], PREFACE, b"P", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\nmore"] {
            let (mut client, server) = tokio::io::duplex(8);
            let sent = bytes.to_vec();
            let sending = tokio::spawn(async move {
                for byte in sent {
                    client.write_all(&[byte]).await.unwrap();
                }
            });
            let opened = Opened::read(server).await.unwrap();
            let mut all = Vec::new();
            match opened {
                Some(mut opened) => drop(opened.read_to_end(&mut all).await.unwrap()),
                None => all.push(b'P'),
            }
            sending.await.unwrap();
            assert_eq!(all, bytes);
        }
    }
}
