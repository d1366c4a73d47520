//! The objects of a pack, taken apart while it arrives. They lie in one nameless file, so that a fetch of any size needs the memory of its
//! largest object alone, and nothing is left of it after a kill. Format: <https://git-scm.com/docs/pack-format>.

use gix::hash::{Hasher, hasher};
use gix::objs::{Data, Kind, encode::loose_header};
use gix::odb::pack::data::{Entry, entry::Header, header};
use gix::zlib::{Decompress, FlushDecompress, Status};
use gix::{ObjectId, oid};
use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, Error, ErrorKind, Read, Result};
use std::os::unix::fs::FileExt as _;

/// The largest object that git sends as a difference: `core.bigFileThreshold`. Only those must fit in memory.
const LARGEST_DELTA: u64 = 512 << 20;

/// A commit with more objects is not one that Kiwi can build.
const MOST: u32 = 5_000_000;

#[derive(Debug)]
pub(super) struct Objects {
    file: File,
    places: HashMap<ObjectId, Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    kind: Kind,
    at: u64,
    length: u64,
}

impl Objects {
    /// Takes a pack apart. Every object is known by the hash of what arrived, so that a wrong one cannot stand for another.
    pub(super) fn unpack(pack: &mut impl BufRead, file: File, most_bytes: u64) -> Result<Self> {
        let mut start = [0; 12];
        pack.read_exact(&mut start)?;
        let (_, count) = header::decode(&start).map_err(Error::other)?;
        if count > MOST {
            return Err(too_large(format!("the pack promises {count} objects; Kiwi takes {MOST}")));
        }
        let mut unpacker = Unpacker {
            input: Counted { input: pack, position: 12 },
            objects: Self { file, places: HashMap::new() },
            end: 0,
            most_bytes,
            arrived: HashMap::new(),
            waiting: HashMap::new(),
        };
        for _ in 0..count {
            unpacker.next()?;
        }
        if unpacker.waiting.is_empty() { Ok(unpacker.objects) } else { Err(malformed("an object builds on one that is missing")) }
    }

    pub(super) fn length(&self, id: &oid) -> Option<u64> {
        self.places.get(id).map(|place| place.length)
    }

    fn read(&self, place: Place, buffer: &mut Vec<u8>) -> Result<()> {
        buffer.resize(usize::try_from(place.length).map_err(Error::other)?, 0);
        self.file.read_exact_at(buffer, place.at)
    }
}

impl gix::objs::Find for Objects {
    fn try_find<'a>(&self, id: &oid, buffer: &'a mut Vec<u8>) -> gix::error::Result<Option<Data<'a>>> {
        let Some(place) = self.places.get(id) else { return Ok(None) };
        self.read(*place, buffer).map_err(gix::error::Error::from_error)?;
        Ok(Some(Data { kind: place.kind, object_hash: id.kind(), data: buffer }))
    }
}

/// What an object that is sent as a difference differs from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Base {
    Position(u64),
    Id(ObjectId),
}

#[derive(Debug)]
struct Delta {
    position: u64,
    instructions: Place,
}

struct Unpacker<'a, R> {
    input: Counted<'a, R>,
    objects: Objects,
    /// Where the file ends.
    end: u64,
    most_bytes: u64,
    /// Where in the pack each object began.
    arrived: HashMap<u64, ObjectId>,
    /// Differences whose base has not arrived.
    waiting: HashMap<Base, Vec<Delta>>,
}

impl<R: BufRead> Unpacker<'_, R> {
    fn next(&mut self) -> Result<()> {
        let position = self.input.position;
        let entry = Entry::from_read(&mut self.input, position, gix::hash::Kind::Sha1.len_in_bytes())?;
        let base = match entry.header {
            Header::Commit => return self.whole(position, Kind::Commit, entry.decompressed_size),
            Header::Tree => return self.whole(position, Kind::Tree, entry.decompressed_size),
            Header::Blob => return self.whole(position, Kind::Blob, entry.decompressed_size),
            Header::Tag => return self.whole(position, Kind::Tag, entry.decompressed_size),
            Header::OfsDelta { base_distance } => Base::Position(position.checked_sub(base_distance).ok_or_else(|| malformed("a base before the pack"))?),
            Header::RefDelta { base_id } => Base::Id(base_id),
        };
        let instructions = self.inflate(Kind::Blob, entry.decompressed_size.min(LARGEST_DELTA + 1), None)?;
        let delta = Delta { position, instructions };
        let known = match base {
            Base::Position(base) => self.arrived.get(&base).copied(),
            Base::Id(id) => self.objects.places.contains_key(&id).then_some(id),
        };
        match known {
            Some(base) => {
                let id = self.apply(base, &delta)?;
                self.add(position, id)
            }
            None => {
                self.waiting.entry(base).or_default().push(delta);
                Ok(())
            }
        }
    }

    fn whole(&mut self, position: u64, kind: Kind, size: u64) -> Result<()> {
        let mut hash = hasher(gix::hash::Kind::Sha1);
        hash.update(&loose_header(kind, size));
        let place = self.inflate(kind, size, Some(&mut hash))?;
        let id = hash.try_finalize().map_err(Error::other)?;
        self.objects.places.insert(id, place);
        self.add(position, id)
    }

    /// Notes an object, and makes those that waited for it.
    fn add(&mut self, position: u64, id: ObjectId) -> Result<()> {
        let mut new = vec![(position, id)];
        while let Some((position, id)) = new.pop() {
            self.arrived.insert(position, id);
            for base in [Base::Position(position), Base::Id(id)] {
                for delta in self.waiting.remove(&base).unwrap_or_default() {
                    new.push((delta.position, self.apply(id, &delta)?));
                }
            }
        }
        Ok(())
    }

    fn apply(&mut self, base: ObjectId, delta: &Delta) -> Result<ObjectId> {
        let place = self.objects.places[&base];
        if place.length > LARGEST_DELTA || delta.instructions.length > LARGEST_DELTA {
            return Err(too_large("an object is sent as a difference, and larger than git sends so".into()));
        }
        let (mut from, mut instructions) = (Vec::new(), Vec::new());
        self.objects.read(place, &mut from)?;
        self.objects.read(delta.instructions, &mut instructions)?;
        let made = patch(&from, &instructions)?;
        let mut hash = hasher(gix::hash::Kind::Sha1);
        hash.update(&loose_header(place.kind, made.len() as u64));
        hash.update(&made);
        let id = hash.try_finalize().map_err(Error::other)?;
        let at = self.reserve(made.len() as u64)?;
        self.objects.file.write_all_at(&made, at)?;
        self.objects.places.insert(id, Place { kind: place.kind, at, length: made.len() as u64 });
        Ok(id)
    }

    fn reserve(&mut self, length: u64) -> Result<u64> {
        let at = self.end;
        self.end = at.saturating_add(length);
        if self.end > self.most_bytes { Err(too_large("the objects are larger than allowed".into())) } else { Ok(at) }
    }

    /// Writes what the next compressed part of the pack holds to the file. It must be as long as was promised.
    fn inflate(&mut self, kind: Kind, size: u64, mut hash: Option<&mut Hasher>) -> Result<Place> {
        let at = self.reserve(size)?;
        let (mut zlib, mut buffer) = (Decompress::new(), vec![0; 64 << 10]);
        loop {
            let input = self.input.fill_buf()?;
            let ended = input.is_empty();
            let (read_before, made_before) = (zlib.total_in(), zlib.total_out());
            let status = zlib.decompress(input, &mut buffer, FlushDecompress::None).map_err(Error::other)?;
            let read = usize::try_from(zlib.total_in() - read_before).map_err(Error::other)?;
            let made = usize::try_from(zlib.total_out() - made_before).map_err(Error::other)?;
            self.input.consume(read);
            let Some(made) = buffer.get(..made).filter(|_| zlib.total_out() <= size) else {
                return Err(malformed("an object is longer than was promised"));
            };
            self.objects.file.write_all_at(made, at + made_before)?;
            if let Some(hash) = &mut hash {
                hash.update(made);
            }
            match status {
                Status::StreamEnd if zlib.total_out() == size => return Ok(Place { kind, at, length: size }),
                Status::StreamEnd => return Err(malformed("an object is shorter than was promised")),
                _ if made.is_empty() && read == 0 && ended => return Err(ErrorKind::UnexpectedEof.into()),
                _ if made.is_empty() && read == 0 => return Err(malformed("an object's data makes no progress")),
                _ => {}
            }
        }
    }
}

/// Makes an object from its base: sizes of both, then pieces of the base and new bytes in turn.
fn patch(base: &[u8], mut instructions: &[u8]) -> Result<Vec<u8>> {
    let cut = || malformed("a difference is cut");
    let byte = |instructions: &mut &[u8]| -> Result<u8> {
        let (first, rest) = instructions.split_first().ok_or_else(cut)?;
        *instructions = rest;
        Ok(*first)
    };
    let size = |instructions: &mut &[u8]| -> Result<u64> {
        let mut size = 0;
        for shift in (0..63).step_by(7) {
            let next = byte(instructions)?;
            size |= u64::from(next & 0x7f) << shift;
            if next & 0x80 == 0 {
                return Ok(size);
            }
        }
        Err(malformed("a difference has no size"))
    };
    if size(&mut instructions)? != base.len() as u64 {
        return Err(malformed("a difference is to another base"));
    }
    let promised = size(&mut instructions)?;
    if promised > LARGEST_DELTA {
        return Err(too_large("an object is sent as a difference, and larger than git sends so".into()));
    }
    let promised = usize::try_from(promised).map_err(Error::other)?;
    let mut made = Vec::with_capacity(promised);
    while !instructions.is_empty() {
        let instruction = byte(&mut instructions)?;
        let piece = if instruction & 0x80 == 0 {
            let (new, rest) = instructions.split_at_checked(usize::from(instruction)).filter(|(new, _)| !new.is_empty()).ok_or_else(cut)?;
            instructions = rest;
            new
        } else {
            let mut field = |bits: std::ops::Range<u8>| -> Result<usize> {
                let mut value = 0;
                for (place, bit) in bits.enumerate() {
                    if instruction & (1 << bit) != 0 {
                        value |= usize::from(byte(&mut instructions)?) << (8 * place);
                    }
                }
                Ok(value)
            };
            let from = field(0..4)?;
            let length = match field(4..7)? {
                0 => 0x10000,
                length => length,
            };
            base.get(from..from + length).ok_or_else(|| malformed("a difference takes what its base has not"))?
        };
        if made.len() + piece.len() > promised {
            return Err(malformed("a difference makes more than it promised"));
        }
        made.extend_from_slice(piece);
    }
    if made.len() == promised { Ok(made) } else { Err(malformed("a difference makes less than it promised")) }
}

fn malformed(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what.to_owned())
}

fn too_large(what: String) -> Error {
    Error::new(ErrorKind::FileTooLarge, what)
}

/// A reader that knows where in the pack it is.
struct Counted<'a, R> {
    input: &'a mut R,
    position: u64,
}

impl<R: BufRead> Read for Counted<'_, R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        let read = self.input.read(into)?;
        self.position += read as u64;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Counted<'_, R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.input.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.position += amount as u64;
        self.input.consume(amount);
    }
}

#[cfg(test)]
mod tests {
    use super::{Objects, patch};
    use gix::objs::{Find as _, Kind, compute_hash};
    use gix::odb::pack::data::entry::Header;
    use gix::zlib::{Compression, stream::deflate};
    use std::io::{ErrorKind, Write as _};

    fn pack(entries: &[(Header, &[u8])]) -> Vec<u8> {
        let mut pack = [b"PACK\0\0\0\x02".as_slice(), &u32::try_from(entries.len()).unwrap().to_be_bytes()].concat();
        for (header, data) in entries {
            header.write_to(data.len() as u64, &mut pack).unwrap();
            let mut zlib = deflate::Write::new(&mut pack, Compression::BEST_SPEED);
            zlib.write_all(data).unwrap();
            zlib.flush().unwrap();
        }
        pack
    }

    fn unpack(pack: &[u8]) -> std::io::Result<Objects> {
        Objects::unpack(&mut &pack[..], tempfile::tempfile().unwrap(), 1 << 20)
    }

    #[test]
    fn a_difference_may_come_before_its_base() {
        let id = |data: &[u8]| compute_hash(gix::hash::Kind::Sha1, Kind::Blob, data).unwrap();
        // From "hello" take 4 bytes at 0 and add "p!"; from that, 3 at 0 and add "m".
        let (help, helm) = ([5, 6, 0x90, 4, 2, b'p', b'!'], [6, 4, 0x90, 3, 1, b'm']);
        let entries = [
            (Header::RefDelta { base_id: id(b"hellp!") }, helm.as_slice()),
            (Header::RefDelta { base_id: id(b"hello") }, help.as_slice()),
            (Header::Blob, b"hello".as_slice()),
        ];
        let objects = unpack(&pack(&entries)).unwrap();
        let mut buffer = Vec::new();
        for expected in [b"hello".as_slice(), b"hellp!", b"helm"] {
            assert_eq!(objects.try_find(&id(expected), &mut buffer).unwrap().unwrap().data, expected);
        }
        let missing = unpack(&pack(&entries[..2])).unwrap_err();
        assert_eq!(missing.kind(), ErrorKind::InvalidData);
        let far = unpack(&pack(&[(Header::OfsDelta { base_distance: 5000 }, help.as_slice())])).unwrap_err();
        assert_eq!(far.kind(), ErrorKind::InvalidData);
    }

    #[test]
    fn a_pack_that_lies_is_refused() {
        let whole = pack(&[(Header::Blob, b"hello".as_slice())]);
        for end in 0..whole.len() {
            unpack(&whole[..end]).unwrap_err();
        }
        let mut promises_more = whole.clone();
        promises_more[12] += 1;
        let mut promises_less = whole.clone();
        promises_less[12] -= 1;
        for lie in [promises_more, promises_less] {
            assert_eq!(unpack(&lie).unwrap_err().kind(), ErrorKind::InvalidData);
        }
        let large = vec![0; 2 << 20];
        assert_eq!(unpack(&pack(&[(Header::Blob, &large)])).unwrap_err().kind(), ErrorKind::FileTooLarge);
        assert_eq!(unpack(b"PACK\0\0\0\x02\xff\xff\xff\xff").unwrap_err().kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn a_difference_that_lies_is_refused() {
        assert_eq!(patch(b"ab", &[2, 4, 0x90, 2, 2, b'c', b'd']).unwrap(), b"abcd");
        for lie in [
            [].as_slice(),
            &[2],
            &[3, 1, 1, b'a'],
            &[2, 1, 0x90, 2],
            &[2, 3, 0x90, 2],
            &[2, 3, 0x90, 3],
            &[2, 1, 0],
            &[2, 1, 5, b'a'],
            &[2, 1, 0x91],
            &[0xff; 12],
        ] {
            patch(b"ab", lie).unwrap_err();
        }
    }
}
