//! Puts coded pictures and what goes with them into an AVIF file (AV1 Image File Format 1.1; ISO/IEC 23008-12 and 14496-12).
//!
//! Knows boxes and items, not how a picture is coded.

use crate::av1::Coded;
use crate::metadata::Attachments;

/// The picture of a file.
#[derive(Debug)]
pub(super) struct Still {
    pub(super) width: u32,
    pub(super) height: u32,
    /// Bits of a sample.
    pub(super) bits: u8,
    /// Whether its main item has luma alone.
    pub(super) is_gray: bool,
    pub(super) main: Coded,
    pub(super) alpha: Option<Coded>,
}

/// What an item is for another.
const MAIN: u16 = 1;
const ALPHA_URN: &[u8] = b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0";
/// What readers need to know an item.
const ESSENTIAL: u8 = 0x80;
/// The numbers of ITU-T H.273: BT.709's primaries, the curve of sRGB; none of them; luma and chroma of BT.601.
const SRGB: [u16; 2] = [1, 13];
const UNSPECIFIED: [u16; 2] = [2, 2];
const BT_601: u16 = 6;
const FULL_RANGE: u8 = 0x80;

/// One item of the file.
struct Item<'a> {
    kind: &'static [u8; 4],
    /// Behind its name.
    content_type: &'static [u8],
    /// What it is for the main item, if it is not that.
    refers_as: Option<&'static [u8; 4]>,
    /// Properties by their place in the list, from 1.
    properties: Vec<u8>,
    /// Its data, in pieces.
    data: [&'a [u8]; 2],
}

/// The whole file.
pub(super) fn file(still: &Still, attached: &Attachments) -> Vec<u8> {
    let mut properties = Properties::default();
    let extent = properties.add(
        b"ispe",
        true,
        &[still.width.to_be_bytes(), still.height.to_be_bytes()].concat(),
    );
    let channels = if still.is_gray { 1 } else { 3 };
    let mut main = vec![
        extent,
        properties.pixel_bits(channels, still.bits),
        properties.configuration(&still.main),
        properties.color(if attached.icc.is_some() { UNSPECIFIED } else { SRGB }),
    ];
    if let Some(icc) = &attached.icc {
        main.push(properties.add(b"colr", false, &[b"prof", &icc[..]].concat()));
    }
    let mut items = vec![Item::new(b"av01", main, [&still.main.units, &[]])];
    if let Some(alpha) = &still.alpha {
        let own = vec![
            extent,
            properties.pixel_bits(1, still.bits),
            properties.configuration(alpha),
            properties.add(b"auxC", true, ALPHA_URN),
        ];
        items.push(Item::new(b"av01", own, [&alpha.units, &[]]).referring(b"auxl"));
    }
    if let Some(exif) = &attached.exif {
        // The TIFF block begins at once behind this number.
        items.push(Item::new(b"Exif", Vec::new(), [&[0; 4], exif]).referring(b"cdsc"));
    }
    if let Some(xmp) = &attached.xmp {
        let mut item = Item::new(b"mime", Vec::new(), [xmp, &[]]).referring(b"cdsc");
        item.content_type = b"application/rdf+xml\0";
        items.push(item);
    }
    assembled(&items, &properties)
}

impl<'a> Item<'a> {
    fn new(kind: &'static [u8; 4], properties: Vec<u8>, data: [&'a [u8]; 2]) -> Self {
        Self {
            kind,
            content_type: b"",
            refers_as: None,
            properties,
            data,
        }
    }

    fn referring(mut self, refers_as: &'static [u8; 4]) -> Self {
        self.refers_as = Some(refers_as);
        self
    }

    fn length(&self) -> usize {
        self.data.iter().map(|piece| piece.len()).sum()
    }
}

/// The list of properties that items share.
#[derive(Default)]
struct Properties {
    boxes: Vec<u8>,
    count: u8,
}

impl Properties {
    /// Adds one; its place in the list, marked where a reader must heed it.
    fn add(&mut self, kind: &[u8; 4], is_full: bool, body: &[u8]) -> u8 {
        let version: &[u8] = if is_full { &[0; 4] } else { &[] };
        append(&mut self.boxes, kind, &[version, body]);
        self.count += 1;
        self.count
    }

    fn pixel_bits(&mut self, channels: u8, bits: u8) -> u8 {
        let mut body = vec![channels];
        body.resize(1 + usize::from(channels), bits);
        self.add(b"pixi", true, &body)
    }

    fn configuration(&mut self, coded: &Coded) -> u8 {
        ESSENTIAL | self.add(b"av1C", false, &coded.configuration)
    }

    fn color(&mut self, [primaries, curve]: [u16; 2]) -> u8 {
        let mut body = b"nclx".to_vec();
        for number in [primaries, curve, BT_601] {
            body.extend_from_slice(&number.to_be_bytes());
        }
        body.push(FULL_RANGE);
        self.add(b"colr", false, &body)
    }
}

fn append(into: &mut Vec<u8>, kind: &[u8; 4], parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    // What is put into a file is far smaller than 4 GiB: the encoder has bounded it.
    into.extend_from_slice(&(length as u32 + 8).to_be_bytes());
    into.extend_from_slice(kind);
    for part in parts {
        into.extend_from_slice(part);
    }
}

fn made(kind: &[u8; 4], parts: &[&[u8]]) -> Vec<u8> {
    let mut made = Vec::new();
    append(&mut made, kind, parts);
    made
}

/// A box that begins with its version and flags.
fn full(kind: &[u8; 4], version: u8, parts: &[&[u8]]) -> Vec<u8> {
    let version: &[u8] = &[version, 0, 0, 0];
    made(kind, &[&[version], parts].concat())
}

fn numbered<'i, 'a>(items: &'i [Item<'a>]) -> impl Iterator<Item = (u16, &'i Item<'a>)> {
    (MAIN..).zip(items)
}

fn assembled(items: &[Item<'_>], properties: &Properties) -> Vec<u8> {
    let mut file = made(b"ftyp", &[b"avif\0\0\0\0", b"avifmif1miaf"]);
    // Where the data begins depends on how long the description is, which does not depend on where the data begins.
    let length = file.len() + description(items, properties, 0).len() + 8;
    let data: usize = items.iter().map(Item::length).sum();
    file.reserve_exact(length + data - file.len());
    file.extend_from_slice(&description(items, properties, length as u32));
    let pieces: Vec<&[u8]> = items.iter().flat_map(|item| item.data).collect();
    append(&mut file, b"mdat", &pieces);
    file
}

fn description(items: &[Item<'_>], properties: &Properties, data_begins: u32) -> Vec<u8> {
    let count = (items.len() as u16).to_be_bytes();
    let mut places = Vec::new();
    let mut infos = Vec::new();
    let mut references = Vec::new();
    let mut associations = (items.iter().filter(|item| !item.properties.is_empty()).count() as u32)
        .to_be_bytes()
        .to_vec();
    let mut begins = data_begins;
    for (number, item) in numbered(items) {
        let number = number.to_be_bytes();
        let length = item.length() as u32;
        // In this file, and in one piece.
        places.extend_from_slice(
            &[
                &number[..],
                &[0, 0],
                &[0, 1],
                &begins.to_be_bytes(),
                &length.to_be_bytes(),
            ]
            .concat(),
        );
        begins += length;
        infos.append(&mut full(
            b"infe",
            2,
            &[&number, &[0, 0], item.kind, &[0], item.content_type],
        ));
        if let Some(kind) = item.refers_as {
            append(&mut references, kind, &[&number, &[0, 1], &MAIN.to_be_bytes()]);
        }
        if !item.properties.is_empty() {
            associations.extend_from_slice(&number);
            associations.push(item.properties.len() as u8);
            associations.extend_from_slice(&item.properties);
        }
    }
    let handler = full(b"hdlr", 0, &[&[0; 4], b"pict", &[0; 12], &[0]]);
    let primary = full(b"pitm", 0, &[&MAIN.to_be_bytes()]);
    // Offsets and lengths have four bytes; there are no others.
    let locations = full(b"iloc", 0, &[&[0x44, 0], &count, &places]);
    let information = full(b"iinf", 0, &[&count, &infos]);
    let references = if references.is_empty() {
        Vec::new()
    } else {
        full(b"iref", 0, &[&references])
    };
    let properties = made(
        b"iprp",
        &[
            &made(b"ipco", &[&properties.boxes]),
            &full(b"ipma", 0, &[&associations]),
        ],
    );
    full(
        b"meta",
        0,
        &[&handler, &primary, &locations, &information, &references, &properties],
    )
}
