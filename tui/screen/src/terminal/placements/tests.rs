use super::*;
use crate::picture::Quality;
use proptest::prelude::*;
use ratatui::layout::Size;

fn graphic(key: u64, protocol: Protocol, length: usize) -> Arc<Graphic> {
    let payload = if protocol.in_cells() {
        Payload::Sequence("s".repeat(length))
    } else {
        Payload::Png(vec![7; length])
    };
    let cells = Size::new(10, 5);
    Arc::new(Graphic { key, quality: Quality::Full, protocol, cells, payload })
}

fn want(slot: u32, keys: &[u64], protocol: Protocol, length: usize) -> Wanted {
    let graphics = keys.iter().map(|key| graphic(*key, protocol, length)).collect();
    let area = Rect::new(4, 2 + slot as u16, 10, 5);
    Wanted { slot, area, parts: vec![area], graphics }
}

/// A terminal that understands kitty's commands as the protocol describes them, and holds us to them.
#[derive(Default)]
struct Kitty {
    images: BTreeSet<u32>,
    /// Place and picture.
    placed: BTreeMap<(u32, u32), ()>,
    receiving: Option<u32>,
}

impl Kitty {
    fn read(&mut self, bytes: &[u8]) {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        for command in text.split("\x1b_G").skip(1) {
            let body = command.split("\x1b\\").next().unwrap();
            let keys: BTreeMap<&str, &str> = body
                .split(';')
                .next()
                .unwrap()
                .split(',')
                .map(|pair| pair.split_once('=').unwrap())
                .collect();
            let number = |key: &str| keys.get(key).map(|n| n.parse::<u32>().unwrap());
            match keys.get("a") {
                Some(&("t" | "T")) => {
                    assert_eq!(self.receiving, None, "another picture in the middle of one");
                    self.receiving = number("i");
                    self.more(number("m"), body.contains(';'));
                }
                None => self.more(number("m"), body.contains(';')),
                Some(other) => {
                    assert_eq!(self.receiving, None, "'{other}' in the middle of a picture");
                    let (id, place) = (number("i").unwrap(), number("p").unwrap_or(0));
                    match (*other, keys.get("d")) {
                        ("p", _) => {
                            assert!(self.images.contains(&id), "picture {id} is placed and was never sent");
                            self.placed.insert((place, id), ());
                        }
                        ("d", Some(&"i")) => drop(self.placed.remove(&(place, id))),
                        ("d", Some(&"I")) => {
                            self.images.remove(&id);
                            self.placed.retain(|(_, placed), ()| *placed != id);
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
        }
    }

    fn more(&mut self, more: Option<u32>, payload: bool) {
        if more == Some(0)
            && let Some(id) = self.receiving.take()
            && payload
        {
            self.images.insert(id);
        }
    }
}

#[test]
fn a_picture_is_sent_placed_replaced_and_lifted() {
    let mut placements = Placements::default();
    placements.switch(Some(Protocol::Kitty), false);
    let mut kitty = Kitty::default();
    let first = [want(0, &[1], Protocol::Kitty, 30_000)];
    assert_eq!(placements.reconcile(&first, |_| false), "", "nothing is placed before it is there");
    while let Some((piece, _)) = placements.next_piece() {
        kitty.read(&piece);
    }
    kitty.read(placements.reconcile(&first, |_| false).as_bytes());
    assert_eq!(kitty.placed.len(), 1);
    assert_eq!(placements.reconcile(&first, |_| true), "", "nothing to do");
    let better = [want(0, &[1, 2], Protocol::Kitty, 3_000)];
    placements.reconcile(&better, |_| false);
    assert_eq!(kitty.placed.len(), 1, "the first stays until the better one is there");
    while let Some((piece, _)) = placements.next_piece() {
        kitty.read(&piece);
    }
    kitty.read(placements.reconcile(&better, |_| false).as_bytes());
    assert_eq!((kitty.placed.len(), kitty.images.len()), (1, 2));
    kitty.read(placements.reconcile(&[], |_| false).as_bytes());
    assert!(kitty.placed.is_empty());
    kitty.read(placements.reconcile(&first, |_| false).as_bytes());
    assert!(placements.next_piece().is_none(), "it is still there and not sent again");
    assert_eq!(kitty.placed.len(), 1);
    kitty.read(placements.lost().as_bytes());
    assert!(kitty.images.is_empty() && kitty.placed.is_empty());
}

#[test]
fn pictures_in_cells_are_sent_again_where_a_cell_was_drawn() {
    let mut placements = Placements::default();
    placements.switch(Some(Protocol::Sixel), false);
    let one = [want(0, &[1], Protocol::Sixel, 100)];
    placements.reconcile(&one, |_| true);
    let (piece, last) = placements.next_piece().unwrap();
    assert!(last && piece.starts_with(b"\x1b7\x1b[3;5Hsss"));
    assert!(placements.stale(&one).is_empty());
    placements.reconcile(&one, |_| false);
    assert!(!placements.sending());
    placements.reconcile(&one, |_| true);
    assert!(placements.next_piece().is_some(), "a cell under it was drawn");
    assert_eq!(placements.stale(&[]), [one[0].area]);
    placements.reconcile(&[], |_| false);
    assert!(placements.stale(&[]).is_empty());
}

#[test]
fn placeholders_learn_the_number_when_the_picture_is_there() {
    let mut placements = Placements::default();
    placements.switch(Some(Protocol::Placeholders), true);
    let one = [want(0, &[5], Protocol::Placeholders, 30_000)];
    placements.reconcile(&one, |_| false);
    while placements.sending() {
        assert!(placements.live().is_empty());
        let (piece, _) = placements.next_piece().unwrap();
        assert!(piece.starts_with(b"\x1bPtmux;"));
    }
    assert_eq!(placements.live(), BTreeMap::from([(5, 1)]));
}

#[test]
fn the_terminal_is_never_asked_to_hold_more_than_it_can() {
    let mut placements = Placements::default();
    placements.switch(Some(Protocol::Kitty), false);
    let mut kitty = Kitty::default();
    for key in 0..400 {
        let now = [want(0, &[key], Protocol::Kitty, 10)];
        kitty.read(placements.reconcile(&now, |_| false).as_bytes());
        while let Some((piece, _)) = placements.next_piece() {
            kitty.read(&piece);
        }
        kitty.read(placements.reconcile(&now, |_| false).as_bytes());
        assert!(kitty.images.len() <= IMAGES && kitty.placed.len() == 1);
    }
}

proptest! {
    #[test]
    fn whatever_happens_the_protocol_is_kept(
        steps in prop::collection::vec((0..4_u32, 0..6_u64, 0..5_usize, any::<bool>()), 1..60),
    ) {
        let mut placements = Placements::default();
        placements.switch(Some(Protocol::Kitty), false);
        let mut kitty = Kitty::default();
        let mut wanted: Vec<Wanted> = Vec::new();
        for (slot, key, pieces, away) in steps {
            wanted.retain(|want| want.slot != slot);
            if !away {
                wanted.push(want(slot, &[key * 2, key * 2 + 1], Protocol::Kitty, 20_000));
                wanted.sort_by_key(|want| want.slot);
            }
            kitty.read(placements.reconcile(&wanted, |_| false).as_bytes());
            for _ in 0..pieces {
                if let Some((piece, _)) = placements.next_piece() {
                    kitty.read(&piece);
                }
            }
        }
        // At rest everything wanted is there, once.
        for _ in 0..100 {
            while let Some((piece, _)) = placements.next_piece() {
                kitty.read(&piece);
            }
            kitty.read(placements.reconcile(&wanted, |_| false).as_bytes());
        }
        prop_assert!(!placements.sending());
        prop_assert_eq!(kitty.placed.len(), wanted.len());
        kitty.read(placements.farewell().as_bytes());
        prop_assert!(kitty.images.is_empty());
    }
}
