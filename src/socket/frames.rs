//! The frames of HTTP/2 in a flow of bytes: where each begins, and what it is. Payloads are not looked at.

/// Length of a frame's own header.
const HEADER: usize = 9;

/// RFC 9113, section 6.
pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const CONTINUATION: u8 = 9;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;

/// The header of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

/// Splits one direction of a connection.
#[derive(Debug, Default)]
pub(super) struct Frames {
    header: [u8; HEADER],
    /// How much of the header is there.
    have: usize,
    /// How much of the payload is still to come.
    left: usize,
    kind: u8,
}

impl Frames {
    /// Goes on with the next bytes; `begun` gets every frame whose header is complete now.
    pub(super) fn go_on(&mut self, mut bytes: &[u8], mut begun: impl FnMut(Frame)) {
        while !bytes.is_empty() {
            let skipped = self.left.min(bytes.len());
            self.left -= skipped;
            bytes = bytes.get(skipped..).unwrap_or_default();
            let some = (HEADER - self.have).min(bytes.len());
            let (head, rest) = bytes.split_at(some);
            if let Some(space) = self.header.get_mut(self.have..self.have + some) {
                space.copy_from_slice(head);
            }
            self.have += some;
            bytes = rest;
            if self.have == HEADER {
                let frame = Frame::read(self.header);
                (self.have, self.left, self.kind) = (0, frame.length, frame.kind);
                begun(frame);
            }
        }
    }

    /// Whether a frame has begun that is, or may be, part of a head.
    pub(super) fn is_inside_head(&self) -> bool {
        self.have > 0 || (self.left > 0 && matches!(self.kind, HEADERS | CONTINUATION))
    }
}

impl Frame {
    fn read(header: [u8; HEADER]) -> Frame {
        let [a, b, c, kind, flags, s, t, u, v] = header;
        Frame {
            length: u32::from_be_bytes([0, a, b, c]) as usize,
            kind,
            flags,
            stream: u32::from_be_bytes([s & 0x7f, t, u, v]),
        }
    }

    pub(super) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0, 0, payload.len() as u8, kind, END_STREAM, 0x80, 0, 0, 5];
        bytes.extend_from_slice(payload);
        bytes
    }

    #[test]
    fn frames_are_found_however_the_bytes_are_cut() {
        let bytes = [frame(HEADERS, b"abc"), frame(DATA, b""), frame(8, &[9; 200])].concat();
        for size in 1..bytes.len() {
            let (mut frames, mut seen) = (Frames::default(), Vec::new());
            for piece in bytes.chunks(size) {
                frames.go_on(piece, |frame| seen.push((frame.kind, frame.length, frame.stream)));
            }
            assert_eq!(seen, [(HEADERS, 3, 5), (DATA, 0, 5), (8, 200, 5)], "pieces of {size}");
            assert!(!frames.is_inside_head());
        }
    }

    #[test]
    fn a_head_is_begun_by_its_first_byte_and_ended_by_its_last() {
        let mut frames = Frames::default();
        let bytes = frame(HEADERS, b"abc");
        for (at, byte) in bytes.iter().enumerate() {
            frames.go_on(&[*byte], |_| {});
            assert_eq!(frames.is_inside_head(), at + 1 < bytes.len(), "byte {at}");
        }
        frames.go_on(&frame(DATA, b"abc")[..10], |_| {});
        assert!(!frames.is_inside_head());
    }
}
