//! HTTP/2 on a connection, as the frames show it: which requests are open, when their answers last went on, and whether
//! what the client sends is worth its reading.
//!
//! The HTTP library bounds memory; it answers pings and settings for ever, lets a client reset what it asks for again
//! and again, and waits for a window without end.

use super::frames::{CONTINUATION, DATA, END_HEADERS, END_STREAM, Frames, HEADERS, RST_STREAM};

/// Frames without a request in them that a connection may send from the start.
const ADVANCE: u32 = 1_000;
/// How many more each answer buys that the client waits for: window updates, pings, priorities of usual clients.
const SERVED: u32 = 100;
/// The most that can be saved up.
const MOST: u32 = 10_000;
/// What a reset costs: a client may give up one request in eleven for ever, and some at once.
const RESET: u32 = 10;
/// Bytes of answers that buy a frame: a window update for each is more than any usual client sends.
const PER_FRAME: usize = 1024;

/// What goes each way, and what the client may still send.
#[derive(Debug)]
pub(super) struct Traffic {
    incoming: Frames,
    outgoing: Frames,
    /// A header block goes on in the next frame.
    is_block_open: bool,
    credit: u32,
}

/// The client sends more than its requests can explain.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Flood;

/// What incoming bytes mean for the head of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Heads {
    /// One is not complete.
    pub(super) under_way: bool,
    /// One has begun with these bytes.
    pub(super) begun: bool,
}

impl Default for Traffic {
    fn default() -> Traffic {
        Traffic {
            incoming: Frames::default(),
            outgoing: Frames::default(),
            is_block_open: false,
            credit: ADVANCE,
        }
    }
}

impl Traffic {
    /// Bytes from the client.
    pub(super) fn came(&mut self, bytes: &[u8], streams: &mut Streams) -> Result<Heads, Flood> {
        let (mut begun, mut cost) = (false, 0_u32);
        let is_block_open = &mut self.is_block_open;
        self.incoming.go_on(bytes, |frame| match frame.kind {
            HEADERS => {
                (begun, *is_block_open) = (true, !frame.has(END_HEADERS));
                streams.open(frame.stream);
            }
            DATA if frame.length > 0 || frame.has(END_STREAM) => {}
            RST_STREAM => {
                streams.close(frame.stream);
                cost = cost.saturating_add(RESET);
            }
            kind => {
                *is_block_open &= kind == CONTINUATION && !frame.has(END_HEADERS);
                cost = cost.saturating_add(1);
            }
        });
        self.credit = self.credit.checked_sub(cost).ok_or(Flood)?;
        Ok(Heads { under_way: self.is_block_open || self.incoming.is_inside_head(), begun })
    }

    /// Bytes to the client. `now` is asked for if an answer goes on, and not to its end.
    pub(super) fn went(&mut self, bytes: &[u8], streams: &mut Streams, now: impl Fn() -> u64) {
        let (mut at, mut bought) = (None, 0_u32);
        self.outgoing.go_on(bytes, |frame| match frame.kind {
            HEADERS | DATA => {
                bought = bought.saturating_add((frame.length / PER_FRAME) as u32);
                if frame.has(END_STREAM) {
                    bought = bought.saturating_add(if streams.close(frame.stream) { SERVED } else { 0 });
                } else if frame.kind == HEADERS || frame.length > 0 {
                    streams.go_on(frame.stream, *at.get_or_insert_with(&now));
                }
            }
            RST_STREAM => {
                streams.close(frame.stream);
            }
            _ => {}
        });
        self.credit = self.credit.saturating_add(bought).min(MOST);
    }
}

/// The requests that are not answered to the end, in the order in which they began.
#[derive(Debug, Default)]
pub(super) struct Streams {
    open: Vec<Open>,
    /// The highest number so far: numbers only grow.
    latest: u32,
}

#[derive(Debug)]
struct Open {
    number: u32,
    /// When its answer last went on; `None` before it does.
    progress: Option<u64>,
}

impl Streams {
    /// Whether there is none.
    pub(super) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// When the answer that has waited longest last went on.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.open.iter().filter_map(|open| open.progress).min()
    }

    fn open(&mut self, number: u32) {
        // Trailers have the number of their request.
        if number > self.latest {
            self.latest = number;
            self.open.push(Open { number, progress: None });
        }
    }

    fn go_on(&mut self, number: u32, now: u64) {
        if let Ok(at) = self.find(number)
            && let Some(open) = self.open.get_mut(at)
        {
            open.progress = Some(now);
        }
    }

    /// Whether it was open.
    fn close(&mut self, number: u32) -> bool {
        let found = self.find(number);
        if let Ok(at) = found {
            self.open.remove(at);
        }
        found.is_ok()
    }

    fn find(&self, number: u32) -> Result<usize, usize> {
        self.open.binary_search_by_key(&number, |open| open.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PING: u8 = 6;

    fn frame(kind: u8, flags: u8, stream: u8, length: u8) -> Vec<u8> {
        let mut bytes = vec![0, 0, length, kind, flags, 0, 0, 0, stream];
        bytes.resize(9 + usize::from(length), 0);
        bytes
    }

    #[test]
    fn requests_are_open_from_their_first_frame_to_the_last_of_their_answer() {
        let (mut traffic, mut streams) = (Traffic::default(), Streams::default());
        for stream in [1, 3, 5, 7] {
            traffic.came(&frame(HEADERS, END_HEADERS, stream, 3), &mut streams).unwrap();
        }
        traffic.came(&frame(HEADERS, END_HEADERS | END_STREAM, 1, 3), &mut streams).unwrap();
        assert_eq!((streams.open.len(), streams.oldest()), (4, None));
        traffic.went(&frame(HEADERS, END_HEADERS, 3, 2), &mut streams, || 10);
        traffic.went(&frame(HEADERS, END_HEADERS, 1, 2), &mut streams, || 20);
        assert_eq!(streams.oldest(), Some(10));
        traffic.went(&frame(DATA, 0, 3, 2), &mut streams, || 30);
        traffic.went(&frame(DATA, 0, 1, 0), &mut streams, || 35);
        assert_eq!(streams.oldest(), Some(20));
        traffic.went(&frame(DATA, END_STREAM, 1, 2), &mut streams, || 40);
        traffic.went(&frame(RST_STREAM, 0, 3, 4), &mut streams, || 40);
        traffic.came(&frame(RST_STREAM, 0, 5, 4), &mut streams).unwrap();
        assert_eq!(streams.open.iter().map(|open| open.number).collect::<Vec<_>>(), [7]);
    }

    #[test]
    fn a_header_block_is_under_way_until_its_last_continuation() {
        let (mut traffic, mut streams) = (Traffic::default(), Streams::default());
        let mut heads = |bytes: &[u8]| traffic.came(bytes, &mut streams).unwrap();
        assert_eq!(heads(&frame(HEADERS, 0, 1, 3)), Heads { under_way: true, begun: true });
        assert_eq!(heads(&frame(CONTINUATION, 0, 1, 3)), Heads { under_way: true, begun: false });
        assert_eq!(heads(&frame(CONTINUATION, END_HEADERS, 1, 3)), Heads { under_way: false, begun: false });
    }

    #[test]
    fn what_no_request_explains_is_a_flood() {
        for (kind, most) in [(PING, 1_000), (RST_STREAM, 100), (DATA, 1_000), (0xff, 1_000)] {
            let (mut traffic, mut streams) = (Traffic::default(), Streams::default());
            for _ in 0..most {
                traffic.came(&frame(kind, 0, 1, 0), &mut streams).unwrap();
            }
            assert_eq!(traffic.came(&frame(kind, 0, 1, 0), &mut streams), Err(Flood), "{kind}");
        }
    }

    #[test]
    fn answers_buy_frames() {
        let (mut traffic, mut streams) = (Traffic::default(), Streams::default());
        for stream in 1..=255_u8 {
            traffic.came(&frame(HEADERS, END_HEADERS, stream, 3), &mut streams).unwrap();
            traffic.went(&frame(HEADERS, END_HEADERS | END_STREAM, stream, 2), &mut streams, || 0);
            for _ in 0..100 {
                traffic.came(&frame(PING, 0, 0, 8), &mut streams).unwrap();
            }
        }
        assert_eq!(traffic.credit, ADVANCE);
    }
}
